"""What a worker tells of itself, read: the JSON that `runtime.worker.description` writes.

Workers of other releases tell less or more: what is missing has a default here, what is
unknown is not read.
"""

from __future__ import annotations

import msgspec

from runtime.store.system_commands import WorkerState


class RunningAttemptDetails(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that a worker runs."""

    id: str
    function: str
    started_at_ms: int = 0


class RunnerLoadDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What lies with one runner process of a worker, and how much may."""

    pid: int
    function: str = ""
    version: str = ""
    in_flight: int = 0
    window: int = 1


class LoopLagDetails(msgspec.Struct, frozen=True, kw_only=True):
    """How late a worker's loop ran what was due, between two heartbeats."""

    lag_ms_max: float = 0.0
    lag_ms_mean: float = 0.0


class RunnerWaitDetails(msgspec.Struct, frozen=True, kw_only=True):
    """How many attempts of a worker waited for a runner since it started, and how long in all."""

    count: int = 0
    sum_s: float = 0.0


class FolderDetails(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker's functions folder stands to what is published."""

    folder: str = ""
    state: str = "unknown"
    files: int = 0
    digest: str = ""
    differing: tuple[str, ...] = ()


class WorkerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker tells of itself with each heartbeat.

    `in_flight`, `max_in_flight`, `loop` and `runner_wait` are None where it does not tell.
    """

    host: str = ""
    pid: int = 0
    queues: tuple[str, ...] = ()
    running: tuple[RunningAttemptDetails, ...] = ()
    in_flight: int | None = None
    max_in_flight: int | None = None
    runners: tuple[RunnerLoadDetails, ...] = ()
    loop: LoopLagDetails | None = None
    runner_wait: RunnerWaitDetails | None = None
    memory_bytes: int = 0
    publishes: bool = False
    functions: FolderDetails = FolderDetails()

    @property
    def held(self) -> int:
        """How many attempts it holds; of a worker that does not tell, those that it runs."""
        return len(self.running) if self.in_flight is None else self.in_flight


_decode = msgspec.json.Decoder(WorkerDetails).decode


def read_details(worker: WorkerState) -> WorkerDetails:
    """Return what a worker has told of itself; nothing where that cannot be read."""
    try:
        return _decode(worker.details)
    except msgspec.MsgspecError:
        return WorkerDetails()
