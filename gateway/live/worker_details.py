"""What a worker reports with each heartbeat: the JSON of `runtime.worker.description`, decoded.

Workers of other releases may report less or more: a missing field has a default here, an unknown
one is ignored.
"""

from __future__ import annotations

import msgspec

from runtime.store.system_commands import WorkerState


class RunningAttemptDetails(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that a worker is running."""

    id: str
    function: str
    started_at_ms: int = 0


class RunnerLoadDetails(msgspec.Struct, frozen=True, kw_only=True):
    """How many attempts one runner process of a worker holds, and how many it may hold."""

    pid: int
    function: str = ""
    version: str = ""
    in_flight: int = 0
    window: int = 1


class LoopLagDetails(msgspec.Struct, frozen=True, kw_only=True):
    """How late a worker's event loop ran due callbacks, between two heartbeats."""

    lag_ms_max: float = 0.0
    lag_ms_mean: float = 0.0


class RunnerWaitDetails(msgspec.Struct, frozen=True, kw_only=True):
    """How many attempts have waited for a runner since the worker started, and their total wait."""

    count: int = 0
    sum_s: float = 0.0


class FolderDetails(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker's functions folder compares with what is published."""

    folder: str = ""
    state: str = "unknown"
    files: int = 0
    digest: str = ""
    differing: tuple[str, ...] = ()


class EnvironmentDetails(msgspec.Struct, frozen=True, kw_only=True):
    """One environment of a worker's machine."""

    key: str
    python: str = ""
    platform: str = ""
    packages: int = 0
    bytes: int = 0
    last_used_at_ms: int = 0
    functions: tuple[str, ...] = ()


class WorkerEnvironments(msgspec.Struct, frozen=True, kw_only=True):
    """The environments of a worker: of its machine, those it uses, how many it is building."""

    present: tuple[EnvironmentDetails, ...] = ()
    ready: tuple[str, ...] = ()
    building: int = 0


class WorkerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker reports with each heartbeat.

    `in_flight`, `max_in_flight`, `loop` and `runner_wait` are None if it does not report them.
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
    environments: WorkerEnvironments = WorkerEnvironments()

    @property
    def held(self) -> int:
        """How many attempts the worker holds; if it does not report that, how many it runs."""
        return len(self.running) if self.in_flight is None else self.in_flight


_decode = msgspec.json.Decoder(WorkerDetails).decode


def read_details(worker: WorkerState) -> WorkerDetails:
    """Return what a worker has reported; defaults if that cannot be decoded."""
    try:
        return _decode(worker.details)
    except msgspec.MsgspecError:
        return WorkerDetails()
