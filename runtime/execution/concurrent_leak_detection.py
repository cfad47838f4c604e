"""What a concurrent attempt leaves running, in a runner that runs others at the same time.

Its tasks and asynchronous generators are cancelled; its threads are given 50 ms to end. Child
processes and threads of pools cannot be assigned to an attempt, so they are looked for only when no
other attempt is in flight, and not after the first find: the worker then closes the runner.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sized

from runtime.execution.concurrent_attempt import ConcurrentAttempt
from runtime.execution.leak_detection import A_TASK, A_THREAD, PATIENCE_S, PAUSE_S, LeakDetector
from runtime.registry import event_loop


class ConcurrentLeakDetector:
    """The leak detector of one runner.

    Args:
        of_process: Examines the whole process.
        attempts: The attempts in flight, including the one that is examined.
        helpers: Returns the ids of the runner's own threads for attempts.
    """

    def __init__(
        self, of_process: LeakDetector, attempts: Sized, helpers: Callable[[], frozenset[int]]
    ) -> None:
        self._of_process = of_process
        self._attempts = attempts
        self._helpers = helpers
        self._has_found = False

    async def end(self, attempt: ConcurrentAttempt) -> str:
        """End what an attempt left in the event loop; return as text what remains, else ""."""
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
        except asyncio.CancelledError:  # another attempt, or a leak, has cancelled this
            return A_TASK if attempt.live_tasks() else self._look(attempt)
        return left

    def find(self, attempt: ConcurrentAttempt) -> str:
        """Return what an attempt left that ran in this thread, as text; "" if nothing."""
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
