"""A runner as its parts see it: its loading, its way to run attempts, its limits of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from runtime.execution.limit_watch import LimitWatch
    from runtime.execution.outcome import Ending
    from runtime.execution.run import Run
    from runtime.execution.runner_process import RunnerProcess
    from runtime.loop import Loop


class RunnerKey(NamedTuple):
    """What a runner is for: a version's bundle under one memory limit."""

    file: str
    version: str
    memory_bytes: int


class RunnerHandle(Protocol):
    """What the parts of a runner use of it; `runtime.execution.runner` says what each is."""

    key: RunnerKey
    loop: Loop
    process: RunnerProcess
    watch: LimitWatch
    runs: dict[int, Run]
    doomed: dict[int, Ending]
    last_answer_at: float

    @property
    def is_open(self) -> bool:
        """Whether attempts may be under way here: it is running or closed."""

    def kill(self) -> None:
        """Kill its process."""

    def close(self) -> None:
        """Take nothing more; go when it is empty."""

    def rest(self) -> None:
        """Be idle, or go, if nothing lies here any more."""

    def requeue(self, runs: Sequence[Run]) -> None:
        """Give attempts that have not begun to other runners."""

    def report_capacity(self) -> None:
        """It can take attempts, or more of them."""

    def report_slow(self, run: Run) -> None:
        """An attempt was thought quick and is not."""

    def is_to_count(self, run: Run) -> bool:
        """Whether an attempt counts as lost whose runner died while nobody was executing."""
