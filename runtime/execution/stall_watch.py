"""Warns of concurrent attempts that block the event loop of their runner, and so all others.

A thread reads the step counter in the shared page five times in each limit while attempts are in
flight. If a step outlasts the limit, a warning with the current line goes into the attempt's log.
A blocking call in C code may hold the interpreter lock, so that the thread looks late; the call
then releases the lock where it returns, and the line is still the right one.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Collection
from types import FrameType

from runtime.execution.tracebacks import is_of_runtime
from runtime.processes.shared_page import EXECUTING, STEPS, RunnersPage
from runtime.telemetry.background import lasting_thread

_LOOKS = 5  # in each limit
_LOOKS_BEFORE_REST = 20
_STACK_BYTES = 262_144


class StallWatch:
    """Watches one event loop from a thread of its own; created in the event loop's thread.

    Args:
        page: The shared page, where the loop counts its steps.
        limit_s: How long a step may last.
        files: The paths of the author's files; the warning prefers a line in these.
        is_busy: Whether attempts are in flight.
        warn: Called with the serial of an attempt and a line for its log, in the watch thread.
        on_long_step: Called in the watch thread at each look that finds the same step again.
    """

    def __init__(
        self,
        page: RunnersPage,
        limit_s: float,
        files: Collection[str],
        *,
        is_busy: Callable[[], bool],
        warn: Callable[[int, str], None],
        on_long_step: Callable[[], None],
    ) -> None:
        self._cells = page.cells
        self._limit_s = limit_s
        self._files = files
        self._is_busy = is_busy
        self._warn = warn
        self._on_long_step = on_long_step
        self._loop_thread = threading.get_ident()
        self._wakeup = threading.Event()
        self._is_resting = False
        self._is_stopped = False
        self._step = self._warned_of = -1
        self._since = self._looked_at = 0.0
        self._thread: threading.Thread | None = None

    @property
    def ident(self) -> int:
        """The identifier of the thread; 0 if there is none."""
        return 0 if self._thread is None else self._thread.ident or 0

    def start(self) -> None:
        """Start the thread."""
        default_bytes = threading.stack_size(_STACK_BYTES)
        try:
            self._thread = lasting_thread(self._run, name="stall watch")
            self._thread.start()
        except RuntimeError:  # too little memory: then there are no warnings
            self._thread = None
        finally:
            threading.stack_size(default_bytes)

    def wake(self) -> None:
        """Resume the watch; called by the event loop's thread when an attempt starts."""
        if self._is_resting:
            self._wakeup.set()

    def stop(self) -> None:
        """End the thread."""
        self._is_stopped = True
        self._wakeup.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        idle_looks = 0
        self._looked_at = time.monotonic()
        while not self._is_stopped:
            if not self._is_busy():
                idle_looks += 1
                if idle_looks > _LOOKS_BEFORE_REST:
                    self._rest()
                    idle_looks = 0
            else:
                idle_looks = 0
            if not self._wakeup.wait(self._limit_s / _LOOKS):
                self._look(time.monotonic())

    def _rest(self) -> None:
        """Wait until an attempt starts."""
        self._is_resting = True
        if not self._is_busy():  # checked after `_is_resting` is set, or a `wake` could be missed
            self._wakeup.wait()
        self._is_resting = False
        if not self._is_stopped:
            self._wakeup.clear()
        self._looked_at = time.monotonic()

    def _look(self, now: float) -> None:
        step, serial = self._cells[STEPS], self._cells[EXECUTING]
        late_s = now - self._looked_at - self._limit_s / _LOOKS
        self._looked_at = now
        if not serial:
            self._step = -1
            return
        if step != self._step:
            self._step = step
            # If this look is late, a call in this step held the interpreter lock meanwhile.
            self._since = now - late_s if late_s >= self._limit_s else now
        else:
            self._on_long_step()
        if now - self._since >= self._limit_s and step != self._warned_of:
            self._warned_of = step
            where = _place_of(sys._current_frames().get(self._loop_thread), self._files)  # noqa: SLF001
            self._warn(
                serial,
                f"[the event loop was blocked for {now - self._since:.1f} s{where}: "
                "no other call in this process could run]\n",
            )


def _place_of(frame: FrameType | None, files: Collection[str]) -> str:
    """Return the current line of a thread: in the author's files, else outside the runtime."""
    anybodys: FrameType | None = None
    while frame is not None and frame.f_code.co_filename not in files:
        if anybodys is None and not is_of_runtime(frame.f_code.co_filename):
            anybodys = frame
        frame = frame.f_back
    found = frame or anybodys
    if found is None:
        return ""
    code = found.f_code
    return f" at {code.co_filename}:{found.f_lineno}, in {code.co_name}"
