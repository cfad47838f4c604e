"""A system at rest, as `penstock up` starts it when nothing is said: its start and its cost."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.results import Spread, spread_of
from tests.support.monitoring import monitored
from tests.support.system import System, running_system

_STARTS = 3
_LOOK_S = 10.0
_SETTLE_S = 3.0


def measure_rest(on_tick: Callable[[], None]) -> dict[str, Spread]:
    """Return seconds until ready, what a worker process costs at rest, and megabytes."""
    functions = Path(__file__).parents[2] / "functions"
    ready_s, commands, megabytes, threads = [], [], [], []
    for number in range(_STARTS):
        began_at = time.monotonic()
        with (
            tempfile.TemporaryDirectory(prefix="bench.") as folder,
            running_system(Path(folder), functions=functions) as system,
        ):
            ready_s.append(time.monotonic() - began_at)
            _pass_time(_SETTLE_S, on_tick)
            megabytes.append(_resident_mb(system))
            threads.append(max(worker.num_threads() for worker in system.parts("worker")))
            if number == 0:
                commands.append(_commands_per_worker_s(system, on_tick))
    found = {
        "ready_s": spread_of(ready_s),
        "commands_per_worker_s": spread_of(commands),
        "resident_mb": spread_of(megabytes),
        "threads_per_worker": spread_of(threads),
    }
    return {name: spread for name, spread in found.items() if spread is not None}


def _commands_per_worker_s(system: System, on_tick: Callable[[], None]) -> float:
    """Return all commands that Redis got, the gateway's too, for each worker process."""
    with monitored(str(system.redis_socket)) as monitor:
        _pass_time(_LOOK_S, on_tick)
    return monitor.seen.total() / _LOOK_S / len(system.parts("worker"))


def _resident_mb(system: System) -> float:
    """Return what all processes hold; pages they share are counted in each."""
    return sum(process.memory_info().rss for process in system.processes()) / 1e6


def _pass_time(seconds: float, on_tick: Callable[[], None]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        on_tick()
        time.sleep(0.05)
