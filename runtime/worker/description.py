"""What a worker tells of itself with each heartbeat: the JSON that `GET /workers` reads.

`gateway.live.worker_details` is the reading side. The text stays short however much a worker
holds, since it is written to Redis every two seconds.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from operator import attrgetter

import msgspec

from runtime.execution.load_view import RunnerLoad, RunnerWait
from runtime.loop import Lag

MOST_RUNNING = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningAttempt:
    """One attempt that has begun; the moment is ms since the epoch."""

    id: str
    function: str
    started_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopLag:
    """How late the worker's loop ran what was due, since the last heartbeat."""

    lag_ms_max: float = 0.0
    lag_ms_mean: float = 0.0


_NO_LAG = LoopLag()
_NO_WAIT = RunnerWait()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLoad:
    """How much a worker has to do.

    Attributes:
        in_flight: How many attempts it holds, begun or not.
        max_in_flight: How many it may hold.
        runners: Every runner process that lives.
        loop: Of its event loop.
        runner_wait: Of its attempts.
    """

    in_flight: int
    max_in_flight: int
    runners: Sequence[RunnerLoad] = ()
    loop: LoopLag = _NO_LAG
    runner_wait: RunnerWait = _NO_WAIT


def lag_of(lag: Lag) -> LoopLag:
    """Return how late a loop was, from how long its turns were."""
    return LoopLag(
        lag_ms_max=round(lag.max_s * 1000, 3),
        lag_ms_mean=round(lag.sum_s * 1000 / max(1, lag.turns), 3),
    )


def describe_worker(
    *,
    queues: Iterable[str],
    running: Iterable[RunningAttempt],
    load: WorkerLoad,
    publishes: bool,
    functions: Mapping[str, object],
    memory_bytes: int,
) -> bytes:
    """Return a worker's description as JSON.

    Args:
        queues: Those it serves.
        running: The attempts that have begun; the `MOST_RUNNING` oldest are told.
        load: How much it has to do.
        publishes: Whether it is the one that publishes its folder.
        functions: How its folder stands to what is published.
        memory_bytes: What it holds, with all that it has started.
    """
    return msgspec.json.encode(
        {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "queues": sorted(queues),
            "running": nsmallest(MOST_RUNNING, running, key=attrgetter("started_at_ms")),
            "in_flight": load.in_flight,
            "max_in_flight": load.max_in_flight,
            "runners": load.runners,
            "loop": load.loop,
            "runner_wait": load.runner_wait,
            "publishes": publishes,
            "functions": functions,
            "memory_bytes": memory_bytes,
        }
    )
