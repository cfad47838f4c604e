"""The backend of `isolation="thread"`: trusted short functions in threads of the worker process.

While a thread runs Python code, the loop thread gets the interpreter lock only every 5 ms. So quick
attempts run in one thread, one after the other, and finished ones come back in groups: when none
is left to run, when 32 have finished, or 1 ms after the first. Slow attempts get a thread each.

Timeouts are noticed by a timer of the loop, which runs only while attempts are in flight.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence

from runtime.execution.outcome import CANCELLED
from runtime.execution.run_times import QUICK_S, RunTimes
from runtime.execution.thread_attempt import ThreadAttempts
from runtime.execution.thread_pool import ALONE_US, ThreadPool
from runtime.execution.thread_run import ThreadRun
from runtime.loop import Timer

_FIRST_LOOK_S = 0.004


class ThreadBackend:
    """Runs attempts in at most `size` threads. Methods and fields are for the loop thread only.

    Args:
        size: Most threads.
        post: Schedules a callback on the loop thread, from any thread:
            `loop.call_soon_threadsafe`.
        call_later: Schedules a callback after a number of seconds: `loop.call_later`.
        on_ended: Called on the loop thread with finished attempts, in the order of finishing. It
            must not raise.
        run_times: Records how long attempts ran, and says which functions are quick.
        idle_s: A thread that has had no attempt for this long ends.
    """

    def __init__(
        self,
        size: int,
        *,
        post: Callable[[Callable[[], None]], object],
        call_later: Callable[[float, Callable[[], None]], Timer],
        on_ended: Callable[[Sequence[ThreadRun]], None],
        run_times: RunTimes,
        idle_s: float = 10.0,
    ) -> None:
        self._post = post
        self._call_later = call_later
        self._on_ended = on_ended
        self._run_times = run_times
        self._attempts = ThreadAttempts()
        self._threads = ThreadPool(
            size, perform=self._attempts.run, has_ended=self._post_ended, idle_s=idle_s
        )
        self._in_hand = 0
        self._timer: Timer | None = None
        self._looks_at = 0.0
        self._is_stopped = False

    def submit(self, run: ThreadRun) -> None:
        """Run an attempt; `on_ended` gets it, unless `take_back` does."""
        mean_s = self._run_times.mean_s(run.assignment.function, run.assignment.version)
        if mean_s is not None and mean_s < QUICK_S:
            run.is_quick = True
            run.work_us = int(mean_s * 1e6) + 1
        else:
            run.work_us = ALONE_US
        self._in_hand += 1
        self._threads.put(run)
        # Also for quick functions: if one is slow after all, the others get another thread.
        self._look_within(_FIRST_LOOK_S)

    def take_back(self, run: ThreadRun) -> bool:
        """Withdraw an attempt that has not started; `on_ended` never gets it. False if it has."""
        is_taken = self._threads.withdraw(run)
        if is_taken:
            self._note_gone(1)
        return is_taken

    def cancel(self, run: ThreadRun, *, by_caller: bool) -> bool:
        """Have an attempt end as cancelled; False if it is over.

        A running function is interrupted; with `by_caller` only `ctx.cancelled` becomes true.
        """
        if self._threads.withdraw(run):
            run.is_cancelled = run.is_over = True
            run.ending = CANCELLED
            # No thread will report it. Posted, as `on_ended` must not be called inside `cancel`.
            self._post(lambda: self._give([run]))
            return True
        if not self._threads.cancel(run):
            return False
        guard = run.guard  # read after `is_cancelled` was set: see `thread_attempt`
        if guard is not None and not by_caller:
            guard.interrupt("cancelled")
        return True

    def count(self) -> int:
        """Return how many attempts are in flight here."""
        return self._in_hand

    def collect(self) -> None:
        """Pass on the attempts that have finished, without waiting for the group to fill."""
        if ended := self._threads.take_ended():
            for run in ended:
                if run.ran_s:
                    self._run_times.note(run.assignment.function, run.assignment.version, run.ran_s)
            self._give(ended)

    def stop(self) -> None:
        """End the threads after their current attempt, and restore the output of the process.

        No waiting attempt starts, and `on_ended` gets nothing any more. Twice is safe.
        """
        self._is_stopped = True
        self._threads.stop()
        self._stop_looking()
        self._attempts.stop()

    def _post_ended(self) -> None:
        """Have the loop thread call `collect`; called in a thread of the pool."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, as the worker is stopping
            self._post(self.collect)

    def _give(self, ended: Sequence[ThreadRun]) -> None:
        if self._is_stopped:
            return
        self._note_gone(len(ended))
        self._on_ended(ended)

    def _note_gone(self, count: int) -> None:
        self._in_hand -= count
        if self._in_hand:
            self._look_within(self._threads.next_look_s(time.monotonic()))
        else:
            self._stop_looking()

    def _look_within(self, seconds: float) -> None:
        at = time.monotonic() + seconds
        if self._timer is not None:
            if self._looks_at <= at:
                return
            self._timer.cancel()
        self._looks_at = at
        self._timer = self._call_later(seconds, self._look)

    def _stop_looking(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._is_stopped:
            return
        for guard in self._threads.look(time.monotonic()):
            guard.interrupt("timeout")
        self.collect()
        if self._in_hand:
            self._look_within(self._threads.next_look_s(time.monotonic()))
