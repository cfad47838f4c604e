"""A million waiting calls: what accepting one more takes, and what each costs in memory.

Two systems run side by side, one with the calls waiting and one without; both are held,
and asked in turns, so that what else the machine does meets both.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

from tests.bench.measuring import Measuring, MeasuringError
from tests.bench.results import Spread, spread_of
from tests.bench.running import Running, running
from tests.bench.systems import BY_NAME
from tests.bench.works import BY_NAME as WORKS
from tests.bench.works import body_of

_BATCH = 10_000
_TURNS = 5
_TURN_S = 2.0
_REWRITE_LIMIT_S = 60.0
_ACCEPTED = 202
_PATIENCE = 20
_PAUSE_S = 1.0
_TEXT_LIMIT = 300
_MEMORY = re.compile(rb"used_memory:(\d+)")


def measure_full_queue(waiting: int, on_tick: Callable[[], None]) -> dict[str, Spread]:
    """Return p99 with and without the calls waiting, their ratio, and the bytes of each."""
    plan = BY_NAME["penstock-process"]
    with (
        tempfile.TemporaryDirectory(prefix="bench.") as empty_folder,
        tempfile.TemporaryDirectory(prefix="bench.") as full_folder,
        running(plan, Path(empty_folder)) as empty,
        running(plan, Path(full_folder)) as full,
    ):
        empty.hold()
        full.hold()
        bytes_each = _fill(full, waiting, on_tick)
        turns: dict[str, list[float]] = {"empty": [], "full": []}
        for number in range(_TURNS):
            for name, system in (("empty", empty), ("full", full)):
                turns[name].append(_accept_p99_ms(system, number, on_tick))
    ratios = [
        full_ms / empty_ms for empty_ms, full_ms in zip(turns["empty"], turns["full"], strict=True)
    ]
    found = {
        "accept_p99_empty_ms": spread_of(turns["empty"]),
        "accept_p99_full_ms": spread_of(turns["full"]),
        "accept_p99_ratio": spread_of(ratios),
        "bytes_each": spread_of([bytes_each]),
        "waiting": spread_of([waiting]),
    }
    return {name: spread for name, spread in found.items() if spread is not None}


def _fill(system: Running, waiting: int, on_tick: Callable[[], None]) -> float:
    """Have so many calls wait; return the bytes each takes in Redis beyond its payload."""
    body, _ = body_of("noop", 0)
    batch = b"\n".join([body] * _BATCH)
    before = _used_bytes(system)
    connection = HTTPConnection("127.0.0.1", system.port, timeout=60)
    for number in range(waiting // _BATCH):
        _send_batch(connection, batch, f"batch-{number}")
        on_tick()
    connection.close()
    _await_rewrite(system, on_tick)
    return (_used_bytes(system) - before) / waiting - len(body)


def _send_batch(connection: HTTPConnection, batch: bytes, key: str) -> None:
    """Have a batch accepted; where Redis takes too long, ask again for the same one."""
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": key}
    reported = ""
    for _ in range(_PATIENCE):
        connection.request("POST", "/functions/process.noop/batch", batch, headers)
        answer = connection.getresponse()
        reported = f"{answer.status}: {answer.read(_TEXT_LIMIT).decode(errors='replace')}"
        answer.read()
        if answer.status == _ACCEPTED:
            return
        time.sleep(_PAUSE_S)
    raise MeasuringError(f"a batch was answered {reported}")


def _accept_p99_ms(system: Running, number: int, on_tick: Callable[[], None]) -> float:
    measuring = Measuring(system, round_number=number, seconds=_TURN_S, backlog=0, on_tick=on_tick)
    sample = measuring.measure(WORKS["accept"])
    if sample.errors:
        raise MeasuringError(f"{sample.errors} calls were not accepted: {sample.example}")
    return sample.p99_ms


def _await_rewrite(system: Running, on_tick: Callable[[], None]) -> None:
    """Let Redis finish what it does to its file, which takes both cores for a while."""
    give_up_at = time.monotonic() + _REWRITE_LIMIT_S
    while (
        b"aof_rewrite_in_progress:1" in system.run_command("INFO", "persistence")
        and time.monotonic() < give_up_at
    ):
        on_tick()
        time.sleep(0.1)


def _used_bytes(system: Running) -> int:
    found = _MEMORY.search(system.run_command("INFO", "memory"))
    return int(found[1]) if found else 0
