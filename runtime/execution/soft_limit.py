"""`grace`: a function that exceeds its timeout may clean up before its runner is killed.

At the timeout an alarm signal raises ThreadInterrupt in the function, which also ends a blocking
system call; an awaited function is cancelled by its event loop. `finally` blocks run. When the
grace is over, the worker kills the process. The ending is "timeout" in any case.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from runtime.execution.outcome import Ending, timed_out
from runtime.execution.thread_interrupt import ThreadInterrupt
from runtime.execution.tracebacks import traceback_of
from runtime.registry import event_loop

Notified = tuple[Ending, bytes]


class SoftLimit:
    """The soft limit of one attempt; used on the main thread, where signals arrive."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._has_passed = False
        self._is_armed = False
        self._before: Any = None

    def run(self, act: Callable[[], Notified]) -> Notified:
        """Return what `act` returns, or the ending "timeout" if it ran too long."""
        try:
            try:
                self._arm()
                ending, result = act()
            finally:
                self._disarm()
        except ThreadInterrupt as error:
            return timed_out(self._timeout_s, traceback_of(error)), b""
        if self._has_passed:
            return timed_out(self._timeout_s, ending.traceback), b""
        return ending, result

    def _arm(self) -> None:
        self._is_armed = True
        self._before = signal.signal(signal.SIGALRM, self._on_alarm)
        signal.setitimer(signal.ITIMER_REAL, self._timeout_s)

    def _disarm(self) -> None:
        """End the limit; nothing is raised after the first line."""
        self._is_armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before or signal.SIG_DFL)

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._is_armed:
            self._is_armed = False
            self._has_passed = True
            if not event_loop.is_awaiting():  # its own timeout cancels what it awaits
                raise ThreadInterrupt
