"""One running system with every hostile function in it, and a neighbour who is watched."""

from __future__ import annotations

import base64
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import report
from tests.hostile.table import FUNCTIONS, LOADED
from tests.support.system import System, running_system
from tests.support.waiting import eventually

__all__ = ["report"]
RUNNERS = 8
LOAD_TIMEOUT_S = 2
SECRET = "whsec_" + base64.b64encode(os.urandom(24)).decode()  # no other system has it
WITHOUT_PTRACE = (sys.executable, "-m", "tests.support.without_ptrace", sys.executable)
# Where the function itself would take too long to be judged by this harm.
HARMS = {
    "change_signals": "_ignore_signals()",
    "leak_memory": "[bytes(2**20) for _ in range(1024)]",
}
# What a function's file gets to do its harm while it is loaded; then it can be called.
WHILE_LOADED = """

made = {harm}
for _ in made if hasattr(made, "__next__") else ():
    pass


def {name}() -> str:
    return "called"
"""


class Neighbour(threading.Thread):
    """Calls a harmless function again and again; remembers when, how long, and what came."""

    def __init__(self, system: System) -> None:
        super().__init__(daemon=True)
        self.calls: list[tuple[float, float]] = []
        self.statuses: set[int] = set()
        self._base_url = system.base_url
        self._ended = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=self._base_url, timeout=30, trust_env=False) as http:
            while not self._ended.wait(0.005):
                began_at = time.monotonic()
                answer = http.post("/functions/neighbour", json={}, headers={"Prefer": "wait=20"})
                self.calls.append((began_at, time.monotonic() - began_at))
                self.statuses.add(answer.status_code)

    def stop(self) -> None:
        self._ended.set()
        self.join()

    def p99_s(self, *spans: tuple[float, float]) -> float:
        """Return the 99th percentile of the calls that began in these spans of time."""
        took = sorted(self._within(spans))
        return took[int(len(took) * 0.99)]

    def watch(self, calls: int) -> tuple[float, float]:
        """Return the span of time in which so many further calls were made."""
        began_at, wanted = time.monotonic(), len(self.calls) + calls
        eventually(lambda: len(self.calls) >= wanted, within_s=30)
        return began_at, time.monotonic()

    def count(self, *spans: tuple[float, float]) -> int:
        """Return how many calls began in these spans."""
        return len(self._within(spans))

    def _within(self, spans: tuple[tuple[float, float], ...]) -> list[float]:
        return [took_s for at, took_s in self.calls if any(a <= at < b for a, b in spans)]


def call_runners_at_once(system: System) -> list[tuple[str, int]]:
    """Call the neighbour once for every runner; return how each ended, and after which attempt."""
    ids = [system.call("neighbour", pause_s=0.1).json()["id"] for _ in range(RUNNERS)]
    found = [system.finished(invocation_id, within_s=10) for invocation_id in ids]
    return [(invocation["status"], invocation["attempt"]) for invocation in found]


def ending_of(system: System, function: str, **arguments: Any) -> str:
    """Call a function and return the type of its error, or its status."""
    answer = system.call(function, wait_s=30, **arguments).json()
    invocation = answer.get("invocation", answer)
    error = invocation["error"]
    return str(invocation["status"] if error is None else error["type"])


def judged_files(system: System, names: set[str]) -> dict[str, Any] | None:
    """Return what is known of these functions once all are; None before."""
    listed = system.http.get("/functions").json()["items"]
    found = {item["name"]: item for item in listed if item["name"] in names}
    is_loading = any(item["state"] == "loading" for item in found.values())
    return None if is_loading or found.keys() != names else found


@pytest.fixture(scope="session")
def beset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of one worker, which looks at no other's processes even when it is root."""
    folder = tmp_path_factory.mktemp("beset")
    functions = folder / "functions"
    functions.mkdir()
    for file in FUNCTIONS.glob("*.py"):
        shutil.copy(file, functions)
    with running_system(
        folder,
        *("--workers", "1", "--runners", str(RUNNERS)),
        functions=functions,
        environment={
            "PENSTOCK_LOAD_TIMEOUT_S": str(LOAD_TIMEOUT_S),
            "PENSTOCK_CALLBACK_SECRET": SECRET,
        },
        wrapper=WITHOUT_PTRACE,
    ) as system:
        names = {file.stem for file in FUNCTIONS.glob("*.py")}
        eventually(lambda: judged_files(system, names), within_s=20, every_s=0.1)
        call_runners_at_once(system)
        yield system


def add_hostile_files(system: System) -> None:
    """Put the files that do harm while they are loaded into the watched folder, all at once."""
    target = system.functions / "at_import"
    if not target.exists():
        draft = system.data / "at_import"
        draft.mkdir()
        for name in LOADED:
            harm = HARMS.get(name, f"{name}()")
            source = (FUNCTIONS / f"{name}.py").read_text(encoding="utf-8")
            (draft / f"{name}.py").write_text(source + WHILE_LOADED.format(name=name, harm=harm))
        draft.rename(target)
