"""Redis's processor time for one accepted call, for each shape of `shown.py`.

    python -m tests.bench.submission_in_redis [--rounds 30] [--only keyed]

A real server, set as `penstock up` sets it; groups of eight through the call that the gateway
makes. `script` is what Redis says the script took, `process` all that the server's process used,
with reading, replying and the append-only file. The least of many short rounds is steady.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Set
from contextlib import closing
from pathlib import Path
from typing import Any

from gateway.parsing.idempotency import identify
from runtime.access.api_key import generate_key_text
from runtime.invocations.submission import DEFAULT_OPTIONS, CallOptions, Submission, prepare
from runtime.registry.manifest import Manifest
from runtime.store import access_commands
from runtime.store.access_commands import StoredKey
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command
from runtime.store.submission_commands import submit
from runtime.telemetry.trace_context import read_trace
from tests.bench.acceptance import BODY, GREET
from tests.bench.shown import TITLES, Shown, headers_of
from tests.support.redis_server import start_redis

_TOGETHER = 8
_GROUPS = 100
_PIPELINED = 4
_NUMBERS = itertools.count(10**15)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--only")
    chosen = parser.parse_args()
    shapes: dict[str, Set[Shown]] = {"accept": frozenset(), **TITLES}
    if chosen.only:
        shapes = {chosen.only: shapes[chosen.only]}
    with tempfile.TemporaryDirectory(prefix="submission.") as name:
        folder = Path(name)
        server = start_redis(
            folder,
            "--appendonly",
            "yes",
            "--appendfsync",
            "everysec",
            "--hash-max-ziplist-value",
            "512",
        )
        try:
            with closing(BlockingConnection(f"unix://{folder / 'redis.sock'}")) as connection:
                _measure(connection, server.pid, shapes, chosen.rounds)
        finally:
            server.terminate()
            server.wait()


def _measure(
    connection: BlockingConnection, pid: int, shapes: dict[str, Set[Shown]], rounds: int
) -> None:
    least: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for name, shown in shapes.items():
            script_us, process_us = _round(connection, pid, shown)
            before = least.get(name, (script_us, process_us))
            least[name] = (min(before[0], script_us), min(before[1], process_us))
    for name, (script_us, process_us) in least.items():
        sys.stdout.write(f"{name:15} script {script_us:6.2f} us, process {process_us:6.2f} us\n")


def _round(connection: BlockingConnection, pid: int, shown: Set[Shown]) -> tuple[float, float]:
    """Return what the script and the process used for a call, in us."""
    _run(connection, "FLUSHALL", "SYNC")
    key = generate_key_text()
    stored = StoredKey(id=key.id, name="bench", digest=key.digest(), scopes=("invoke:*",))
    connection.run(
        access_commands.create_key(stored, lifetime_ms=0, callback_secret="", replaces_secret=False)
    )
    groups = [_group(GREET, shown, key.id) for _ in range(_GROUPS)]
    connection.run(groups.pop())  # the server knows the script from now on
    _run(connection, "CONFIG", "RESETSTAT")
    before_ns = _used_ns(pid)
    for some in _parted(groups):
        connection.run_many(some)
    used_ns = _used_ns(pid) - before_ns
    calls = len(groups) * _TOGETHER
    return _script_us(connection) / calls, used_ns / 1000 / calls


def _parted(groups: list[Command[Any]]) -> list[list[Command[Any]]]:
    return [groups[at : at + _PIPELINED] for at in range(0, len(groups), _PIPELINED)]


def _group(manifest: Manifest, shown: Set[Shown], key_id: str) -> Command[Any]:
    entries = []
    for _ in range(_TOGETHER):
        call = _submission(manifest, shown, key_id)
        entries.append((call.id, call.arguments, call.parts()))
    return submit(
        function=manifest.name,
        queue=manifest.options.queue,
        version=manifest.version,
        entries=entries,
    )


def _submission(manifest: Manifest, shown: Set[Shown], key_id: str) -> Submission:
    headers = headers_of(shown, "")
    call_options: dict[str, Any] = {}
    trace, first = None, None
    if "options" in shown:
        call_options["priority"] = 7
    if "trace" in shown:
        trace = read_trace(headers["traceparent"])
    if "callback" in shown:
        call_options["callback"] = headers["X-Callback-Url"]
    if "idempotency" in shown:
        number = str(next(_NUMBERS))
        first = identify(number, function=manifest.name, caller="bench", content=(b"x",))
    is_keyed = "key" in shown
    return prepare(
        manifest,
        BODY.encode(),
        call_options=CallOptions(**call_options) if call_options else DEFAULT_OPTIONS,
        caller="bench" if is_keyed else None,
        api_key=key_id if is_keyed else "",
        trace=trace,
        idempotency=first,
    )


def _run(connection: BlockingConnection, *words: str) -> Any:
    return connection.run(Command(words, lambda reply: reply))


def _used_ns(pid: int) -> int:
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0])


def _script_us(connection: BlockingConnection) -> float:
    for row in _run(connection, "INFO", "commandstats").decode().splitlines():
        if row.startswith("cmdstat_evalsha:"):
            return float(dict(part.split("=") for part in row[16:].split(","))["usec"])
    raise RuntimeError("the script was not run")


if __name__ == "__main__":
    main()
