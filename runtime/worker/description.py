"""The description of a worker: the JSON in each heartbeat, from which `GET /workers` is made.

`gateway.live.worker_details` reads it. Its size is bounded however much a worker holds, since it is
written to Redis every two seconds.
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
    """One attempt that has begun; `started_at_ms` is ms since the epoch."""

    id: str
    function: str
    started_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopLag:
    """How long the turns of the worker's loop took since the last heartbeat."""

    lag_ms_max: float = 0.0
    lag_ms_mean: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentDetails:
    """One environment of a worker's machine, and the functions that serve from it.

    `last_used_at_ms` is ms since the epoch.
    """

    key: str
    python: str
    platform: str
    packages: int
    bytes: int
    last_used_at_ms: int
    functions: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEnvironments:
    """The environments of a worker.

    Attributes:
        present: Those of its machine.
        ready: The keys of those in which its functions run.
        building: How many it is building.
    """

    present: Sequence[EnvironmentDetails] = ()
    ready: Sequence[str] = ()
    building: int = 0


_NO_LAG = LoopLag()
_NO_ENVIRONMENTS = WorkerEnvironments()
_NO_WAIT = RunnerWait()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLoad:
    """The load of a worker.

    Attributes:
        in_flight: Number of attempts it holds, begun or not.
        max_in_flight: Most attempts it may hold.
        runners: The load of each live runner process.
        loop: The lag of its event loop.
        runner_wait: How long its attempts have waited for a runner.
    """

    in_flight: int
    max_in_flight: int
    runners: Sequence[RunnerLoad] = ()
    loop: LoopLag = _NO_LAG
    runner_wait: RunnerWait = _NO_WAIT


def lag_of(lag: Lag) -> LoopLag:
    """Return the lag of a loop in milliseconds."""
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
    environments: WorkerEnvironments = _NO_ENVIRONMENTS,
) -> bytes:
    """Return a worker's description as JSON.

    Args:
        queues: The queues it serves.
        running: The attempts that have begun; only the `MOST_RUNNING` oldest are included.
        load: Its load.
        publishes: Whether it is the publisher.
        functions: How its functions folder compares with what is published.
        memory_bytes: Resident memory of the worker and its child processes.
        environments: Its environments.
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
            "environments": environments,
        }
    )
