"""Looks at a runner when a limit of time may have passed: of its loading, or of an attempt."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from runtime.loop import Loop, Timer


class TimeLimited(Protocol):
    """Whose limits of time hold in a runner: its loading, or its way to run attempts."""

    def limit_at(self) -> float | None:
        """Return when a limit may have passed, by the monotonic clock."""

    def look_at_limits(self, now: float) -> None:
        """End what is out of time."""


class LimitWatch:
    """The one timer of a runner; who looks too early looks again.

    Args:
        loop: The worker's.
        phase: Returns whose limits hold now; None: nobody's.
        look_at_process: Takes in what the process has said so far.
    """

    def __init__(
        self,
        loop: Loop,
        phase: Callable[[], TimeLimited | None],
        look_at_process: Callable[[], object],
    ) -> None:
        self._loop = loop
        self._phase = phase
        self._look_at_process = look_at_process
        self._timer: Timer | None = None

    def renew(self) -> None:
        """Look at the next moment at which a limit may have passed."""
        phase = self._phase()
        at = None if phase is None else phase.limit_at()
        if at is not None:
            self.look_by(at)

    def look_by(self, at: float) -> None:
        """Look at this moment, or earlier."""
        if self._timer is not None and self._timer.at <= at:
            return
        self.end()
        self._timer = self._loop.call_at(at, self._look)

    def end(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        phase = self._phase()
        at = None if phase is None else phase.limit_at()
        if at is not None and at <= time.monotonic():
            self._look_at_process()  # what was said in time counts
            phase = self._phase()
            if phase is not None:
                phase.look_at_limits(time.monotonic())
        self.renew()
