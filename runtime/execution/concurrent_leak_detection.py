"""What an attempt leaves running in a runner that runs several at the same time.

Its tasks and asynchronous generators are ended; threads that it has started are given a moment.
What cannot be told apart (child processes, threads of pools) is looked for whenever the last
attempt under way ends, until something was found: the worker ends the runner then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sized

from runtime.execution.concurrent_attempt import ConcurrentAttempt
from runtime.execution.leak_detection import A_TASK, A_THREAD, PATIENCE_S, PAUSE_S, LeakDetector
from runtime.registry import event_loop


class ConcurrentLeakDetector:
    """Those of one runner.

    Args:
        of_process: Looks at the whole process.
        attempts: Those under way, with the one that is asked about.
        helpers: Returns the threads that the runner has for attempts.
    """

    def __init__(
        self, of_process: LeakDetector, attempts: Sized, helpers: Callable[[], frozenset[int]]
    ) -> None:
        self._of_process = of_process
        self._attempts = attempts
        self._helpers = helpers
        self._has_found = False

    async def end(self, attempt: ConcurrentAttempt) -> str:
        """End what an attempt has left in the event loop; return what is left, "" if nothing."""
        left = await self._end(attempt)
        self._has_found |= bool(left)
        return left

    async def _end(self, attempt: ConcurrentAttempt) -> str:
        try:
            has_ended = attempt.has_left_nothing_in_loop or await event_loop.end_all(
                attempt.generators, attempt.live_tasks
            )
            if not has_ended:
                return A_TASK
            left = self._look(attempt)
            deadline = time.monotonic() + PATIENCE_S
            while left and time.monotonic() < deadline:
                await asyncio.sleep(PAUSE_S)
                left = self._look(attempt)
        except asyncio.CancelledError:  # by another attempt, or by something that it has left
            return A_TASK if attempt.live_tasks() else self._look(attempt)
        return left

    def find(self, attempt: ConcurrentAttempt) -> str:
        """Return what an attempt has left that ran in this thread."""
        left = self._look(attempt)
        deadline = time.monotonic() + PATIENCE_S
        while left and time.monotonic() < deadline:
            time.sleep(PAUSE_S)
            left = self._look(attempt)
        self._has_found |= bool(left)
        return left

    def _look(self, attempt: ConcurrentAttempt) -> str:
        if event_loop.has_set_aside():
            return A_TASK
        if attempt.has_live_threads:
            return A_THREAD
        if len(self._attempts) > 1 or self._has_found:
            return ""
        ran_s = time.perf_counter() - attempt.began_at
        return self._of_process.look(ran_s, self._helpers())
