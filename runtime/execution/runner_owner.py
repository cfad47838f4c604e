"""What a runner is for, and who gives it attempts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from runtime.execution.run import Run

if TYPE_CHECKING:
    from runtime.execution.runner import Runner


class RunnerKey(NamedTuple):
    """What a runner is for: a version's bundle under one memory limit."""

    file: str
    version: str
    memory_bytes: int


class RunnerOwner(Protocol):
    """Who gives attempts to runners, and is told what becomes of both."""

    def on_room(self, runner: Runner) -> None:
        """It can take attempts, or more of them."""

    def on_ran(self, runner: Runner, run: Run, *, left: str) -> None:
        """An attempt has ended by itself, after `run.ran_s`; `left` says what it has left."""

    def on_slow(self, run: Run) -> None:
        """It was thought quick and is not."""

    def on_dead(self, runner: Runner) -> None:
        """Its process is gone, or was never there."""

    def is_to_count(self, run: Run) -> bool:
        """Whether it counts as lost that its runner died while nobody was executing."""

    def requeue(self, runs: Sequence[Run]) -> None:
        """These have not begun: others may have them."""
