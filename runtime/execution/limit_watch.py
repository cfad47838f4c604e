"""Looks at a runner when a limit of time may have passed: of its loading, or of an attempt."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from runtime.loop import Timer

if TYPE_CHECKING:
    from runtime.execution.runner import Runner


class LimitWatch:
    """The one timer of a runner; who looks too early looks again."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._timer: Timer | None = None

    def renew(self) -> None:
        """Look at the next moment at which a limit may have passed."""
        phase = self._runner.phase
        at = None if phase is None else phase.limit_at()
        if at is not None:
            self.look_by(at)

    def look_by(self, at: float) -> None:
        """Look at this moment, or earlier."""
        if self._timer is not None and self._timer.at <= at:
            return
        self.end()
        self._timer = self._runner.loop.call_at(at, self._look)

    def end(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        phase = self._runner.phase
        at = None if phase is None else phase.limit_at()
        if at is not None and at <= time.monotonic():
            self._runner.process.look_at_all()  # what was said in time counts
            phase = self._runner.phase
            if phase is not None:
                phase.look_at_limits(time.monotonic())
        self.renew()
