"""The threads of a runner for concurrent attempts: those that run `def`, and the event loop's pool.

While a thread runs code of an attempt, a slot of the shared page holds the attempt's serial. If the
process is killed meanwhile, the slot stays and tells the worker what was executing.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from runtime.execution.concurrent_attempt import ConcurrentAttempt
from runtime.execution.output_attribution import owner
from runtime.processes.shared_page import SLOTS, RunnersPage
from runtime.telemetry.background import lasting_thread


class FunctionThreads:
    """Threads that run attempts of `def` functions, started on demand and kept.

    Args:
        page: The shared page.
        run: Runs one attempt and answers it; never raises.
    """

    def __init__(self, page: RunnersPage, run: Callable[[ConcurrentAttempt], None]) -> None:
        self._page = page
        self._run = run
        self._waiting: queue.SimpleQueue[ConcurrentAttempt | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    @property
    def idents(self) -> frozenset[int]:
        """The threads' identifiers, as in `sys._current_frames`."""
        return frozenset(thread.ident or 0 for thread in self._threads)

    def begin(self, attempt: ConcurrentAttempt, *, under_way: int) -> None:
        """Run an attempt in a new thread, or in one that is free or becomes so.

        Args:
            attempt: What to run.
            under_way: How many attempts have not been answered, including this one.

        Raises:
            MemoryError: There is no thread, and none can be started for lack of memory.
            RuntimeError: There is no thread, and the system refuses to start one.
        """
        most = min(attempt.start.per_process, SLOTS)
        if len(self._threads) < min(under_way, most):
            thread = lasting_thread(self._work, name=f"attempts-{len(self._threads)}")
            try:
                thread.start()
            except (MemoryError, RuntimeError):
                if not self._threads:
                    raise
            else:
                self._threads.append(thread)
        self._waiting.put(attempt)

    def stop(self) -> None:
        """End the threads; called while no attempt is in flight."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _work(self) -> None:
        while (attempt := self._waiting.get()) is not None:
            owner.set(attempt)
            # Cleared after the answer; the worker ignores serials that were answered.
            slot = self._page.take_slot(attempt.serial)
            try:
                self._run(attempt)
            finally:
                self._page.free_slot(slot)
            del attempt  # frees what it holds while this thread waits
            owner.set(None)


class LoopThreads(ThreadPoolExecutor):
    """The event loop's default executor: `asyncio.to_thread`, `run_in_executor`."""

    def __init__(self, page: RunnersPage) -> None:
        super().__init__(thread_name_prefix="asyncio")
        self._page = page

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:  # noqa: ANN401
        """Run a call on behalf of the attempt that owns the current context."""
        found = owner.get()
        if type(found) is not ConcurrentAttempt:
            return super().submit(fn, *args, **named)
        # Before the submission: a pool thread may finish the call, and pop an entry, at once.
        found.work.append(None)
        try:
            future = super().submit(self._run, found, fn, args, named)
        except BaseException:
            found.work.pop()
            raise
        future.add_done_callback(lambda _: found.work.pop())
        return future

    def _run(
        self,
        attempt: ConcurrentAttempt,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        named: dict[str, Any],
    ) -> Any:  # noqa: ANN401 - whatever the call returns
        before = owner.set(attempt)
        slot = self._page.take_slot(attempt.serial)
        try:
            return fn(*args, **named)
        finally:
            self._page.free_slot(slot)
            owner.reset(before)
