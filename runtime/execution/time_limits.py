"""The timer of one runner, due when a time limit may have passed.

What is out of time is decided and ended by `look_at_limits` of `loading`, `sequential_runner` or
`concurrent_runner`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from runtime.loop import Loop, Timer


class TimeLimited(Protocol):
    """What has time limits in a runner: loading, or running attempts."""

    def limit_at(self) -> float | None:
        """Return when the next limit may pass, by the monotonic clock; None if there is none."""

    def look_at_limits(self, now: float) -> None:
        """End whatever has exceeded its limit."""


class LimitWatch:
    """The one timer of a runner. It may fire too early, and is then set again.

    Args:
        loop: The worker's event loop.
        phase: Returns what has limits now, None if nothing has.
        look_at_process: Handles all frames that the process has sent so far.
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
        """Set the timer for the next limit."""
        phase = self._phase()
        at = None if phase is None else phase.limit_at()
        if at is not None:
            self.look_by(at)

    def look_by(self, at: float) -> None:
        """Set the timer for this moment, unless it fires earlier."""
        if self._timer is not None and self._timer.at <= at:
            return
        self.end()
        self._timer = self._loop.call_at(at, self._look)

    def end(self) -> None:
        """Cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        phase = self._phase()
        at = None if phase is None else phase.limit_at()
        if at is not None and at <= time.monotonic():
            self._look_at_process()  # an answer sent in time counts, even if it was not read
            phase = self._phase()
            if phase is not None:
                phase.look_at_limits(time.monotonic())
        self.renew()
