"""Whatever shall live as long as its process begins where a crash is seen and mended."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STARTERS = frozenset({"create_task", "ensure_future", "Thread", "Timer", "start_new_thread"})
HOME = "runtime/telemetry/background.py"
# These end by themselves, and somebody hears of how: no loop of theirs can be lost.
ENDING = {
    "gateway/live/event_reader.py": "those who wait for what is read hear of the error",
    "gateway/auth/key_check.py": "notes the uses so far, once",
    "gateway/resources/documents.py": "the request that asks for the page awaits it",
    "gateway/serving/dispatch.py": "one request; its outermost frame logs",
    "runtime/callbacks/dispatcher.py": "one attempt, and one wait that the loop awaits",
    "runtime/callbacks/resolver.py": "one look-up, whose asker waits no longer than it may",
    "runtime/execution/environments.py": "one build; the loop is told what came of it",
    "runtime/worker/environment_watch.py": "prunes the cache, once",
    "runtime/worker/process.py": "removes one environment, once",
    "runtime/processes/fork_server.py": "one kill, where asking for it brought nothing",
    "runtime/execution/runner_process.py": "one runner being made or closed; the loop is told",
    "runtime/loop.py": "its timers are calls of the loop, which logs what they raise",
    "runtime/registry/event_loop.py": "what a call left open is closed, and awaited",
    "runtime/registry/load_pool.py": "one load, whose outcome is a ticket's",
    "runtime/store/loop_connection.py": "one connection being opened; who asks hears of the error",
    "runtime/store/async_connection.py": "one connection being opened; who asks hears of the error",
    "runtime/store/submit_pipeline.py": "one group of submissions; each caller is told",
    "runtime/store/sentinel.py": "one question, awaited at once",
    "runtime/worker/publishing.py": "turns the publisher on or off, once",
    "runtime/worker/thread_preload.py": "one import; its outermost frame logs",
    "runtime/telemetry/opentelemetry_tracer.py": "the last words of a process that ends",
}


def starts_in(source: str) -> Iterator[str]:
    """Yield what a source begins in the background, by whatever name it is reached."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in STARTERS:
                yield name
        elif isinstance(node, ast.ClassDef):
            yield from (
                "Thread"
                for base in node.bases
                if getattr(base, "attr", getattr(base, "id", "")).endswith("Thread")
            )


def sources() -> dict[str, str]:
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for package in ("gateway", "runtime")
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def test_nothing_lives_for_ever_unguarded():
    starting = {path for path, source in sources().items() if any(starts_in(source))}

    assert starting - {HOME} == ENDING.keys(), "begin it with runtime.telemetry.background"


@pytest.mark.parametrize(
    "source",
    [
        "asyncio.create_task(self._follow())",
        "loop.create_task(x)",
        "asyncio.ensure_future(x)",
        "threading.Thread(target=x)",
        "Thread(target=x).start()",
        "threading.Timer(1, x)",
        "class Own(threading.Thread): pass",
    ],
)
def test_every_way_to_begin_something_is_known(source: str):
    assert list(starts_in(source))
