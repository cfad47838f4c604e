"""What the parts of a runner may use of it, so that they need not import `runner`.

The parts are `loading`, `sequential_runner`, `concurrent_runner` and `time_limits`.
Loop thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from runtime.execution.outcome import Ending
    from runtime.execution.run import Run
    from runtime.execution.runner_process import RunnerProcess
    from runtime.execution.time_limits import LimitWatch
    from runtime.loop import Loop


class RunnerKey(NamedTuple):
    """What a runner process is for: one version of a file, under one memory limit."""

    file: str
    version: str
    memory_bytes: int


class RunOwner(Protocol):
    """Gives attempts to runners; the pool."""

    def on_slow(self, run: Run) -> None:
        """A run of a function thought to be quick is slow."""

    def is_to_count(self, run: Run) -> bool:
        """Whether the attempt counts as lost if its runner died while no attempt was executing."""

    def requeue(self, runs: Sequence[Run]) -> None:
        """Assign these to other runners: they have not started."""


class RunnerHandle(Protocol):
    """The runner as its parts use it; `runtime.execution.runner` documents each member."""

    key: RunnerKey
    loop: Loop
    process: RunnerProcess
    watch: LimitWatch
    runs: dict[int, Run]
    doomed: dict[int, Ending]
    last_answer_at: float

    @property
    def owner(self) -> RunOwner:
        """Gives it attempts, and takes back those that have not started."""

    @property
    def is_open(self) -> bool:
        """Whether attempts may be in flight here: the state is "running" or "closed"."""

    def kill(self) -> None:
        """Kill the process."""

    def close(self) -> None:
        """Accept no more attempts; kill the process when none is left."""

    def rest(self) -> None:
        """If no attempt is left: become idle, or kill the process if closed."""

    def report_capacity(self) -> None:
        """Report that this runner may accept more attempts."""
