"""Run one concurrent attempt in the runner process, from its start to its answer.

An `async def` runs as a task of the event loop, on the main thread; a `def` in a thread of its own
(`runtime.execution.thread_calls`). `answer` may therefore be called in either.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

from runtime.execution import runner_protocol as frames
from runtime.execution.call_function import describe, perform, perform_async
from runtime.execution.concurrent_attempt import ConcurrentAttempt
from runtime.execution.concurrent_leak_detection import ConcurrentLeakDetector
from runtime.execution.concurrent_output import ConcurrentOutput
from runtime.execution.context_log import FunctionLog
from runtime.execution.event_batcher import EventBatcher
from runtime.execution.leak_detection import LeakDetector
from runtime.execution.notes import NO_CONTEXT, context_of
from runtime.execution.outcome import CANCELLED, Ending
from runtime.execution.output_attribution import owner
from runtime.execution.runner_codec import encode_ending
from runtime.execution.runner_output import AttemptOutput
from runtime.execution.runner_protocol import RunnerLimits
from runtime.execution.thread_interrupt import InterruptGuard, ThreadInterrupt
from runtime.execution.tracebacks import traceback_of
from runtime.processes.child_limits import use_memory_reserve
from runtime.registry.loaded_function import LoadedFunction
from runtime.sdk.context import Context


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a runner has once its bundle is loaded.

    Attributes:
        functions: The functions of the bundle, by name.
        files: The paths of the author's files.
        limits: Size limits on output and results.
        output: The output of the process.
        leftovers: Finds what attempts leave running.
        log: The logger `ctx.log`.
    """

    functions: Mapping[str, LoadedFunction]
    files: Collection[str]
    limits: RunnerLimits
    output: AttemptOutput
    leftovers: LeakDetector
    log: FunctionLog


class ConcurrentCalls:
    """Calls the functions of one runner.

    Args:
        loaded: The functions and the limits.
        attempts: The attempts in flight, by serial; `answer` removes them.
        loop: Runs the tasks.
        writer: Sends frames to the worker.
        output: Assigns output to attempts.
        leftovers: Finds what an attempt leaves running.
        on_empty: Called when the last attempt in flight was answered, in any thread.
        on_shortage: Called when memory is too short for an answer; does not return.
    """

    def __init__(
        self,
        loaded: Loaded,
        attempts: dict[int, ConcurrentAttempt],
        *,
        loop: asyncio.AbstractEventLoop,
        writer: EventBatcher,
        output: ConcurrentOutput,
        leftovers: ConcurrentLeakDetector,
        on_empty: Callable[[], None],
        on_shortage: Callable[[], None],
    ) -> None:
        self._loaded = loaded
        self._attempts = attempts
        self._loop = loop
        self._writer = writer
        self._output = output
        self._leftovers = leftovers
        self._on_empty = on_empty
        self._on_shortage = on_shortage
        self._pid = os.getpid()

    def begin_task(self, attempt: ConcurrentAttempt) -> None:
        """Run an `async def` in the event loop, in a context of its own."""
        context = contextvars.copy_context()
        context.run(owner.set, attempt)
        attempt.task = asyncio.Task(self._run(attempt), loop=self._loop, context=context)
        # A task that is cancelled before its first step never runs `_run`, so it cannot answer.
        attempt.task.add_done_callback(partial(self._make_sure, attempt))

    def run_in_thread(self, attempt: ConcurrentAttempt) -> None:
        """Run a `def` in this thread, which runs no other attempt meanwhile."""
        try:
            self._run_guarded(attempt)
        except MemoryError:
            self._on_shortage()

    def answer(
        self, attempt: ConcurrentAttempt, reported: Ending, result: bytes = b"", left: str = ""
    ) -> None:
        """Send the ending of an attempt to the worker; in its own thread or the event loop's."""
        ending = attempt.ending(reported)
        if left:
            ending = ending._replace(left=left)
        # All output is sent before the answer: the worker drops output of an answered attempt.
        attempt.sink.flush()
        self._output.settle()
        attempt.is_answered = True
        attempt.sink.close()
        attempt.task = None
        took_us = b"%d" % ((time.perf_counter() - attempt.began_at) * 1e6)
        answer = (
            encode_ending(ending),
            result if ending is reported or left else b"",
            took_us,
        )
        del self._attempts[attempt.serial]
        is_last = not self._attempts  # then no other answer will share the write
        self._writer.send_for(attempt, frames.DONE, attempt.number, *answer, at_once=is_last)
        if is_last:
            self._on_empty()

    async def _run(self, attempt: ConcurrentAttempt) -> None:
        if not attempt.begin():  # it was ended before it started, and answered
            return
        ending, result = await perform_async(
            attempt.function,
            attempt.take_arguments(),
            request=attempt.take_request(),
            context=self._context(attempt) if attempt.function.takes_context else NO_CONTEXT,
            send_item=partial(self._report, attempt, frames.ITEM),
            max_result_bytes=self._loaded.limits.max_result_bytes,
            make_room=use_memory_reserve,
        )
        attempt.is_over = True
        self.answer(attempt, ending, result, await self._leftovers.end(attempt))

    def _make_sure(self, attempt: ConcurrentAttempt, task: asyncio.Task[None]) -> None:
        """Answer for a task that ended without doing so."""
        if attempt.is_answered:
            return
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        try:
            if isinstance(error, MemoryError):
                use_memory_reserve()
            self.answer(attempt, describe(error) if error is not None else CANCELLED)
        except MemoryError:
            self._on_shortage()

    def _run_guarded(self, attempt: ConcurrentAttempt) -> None:
        if not attempt.begin():
            return
        guard = attempt.guard = InterruptGuard(attempt.start.timeout_s)
        reported = CANCELLED, b""
        try:
            try:
                # `_stop` sets `cause`, then reads `guard`; here `guard` is set before `cause` is
                # read. So at least one side sees the other's write, and no stop is missed.
                if attempt.cause is None:
                    reported = self._perform(attempt)
            finally:
                guard.disarm()
        except ThreadInterrupt as error:
            reported = CANCELLED._replace(traceback=traceback_of(error)), b""
        attempt.is_over = True
        if os.getpid() != self._pid:  # user code has forked, and this is the child
            os._exit(0)
        left = self._leftovers.find(attempt)
        attempt.guard = None
        self.answer(attempt, *reported, left)

    def _perform(self, attempt: ConcurrentAttempt) -> tuple[Ending, bytes]:
        return perform(
            attempt.function,
            attempt.take_arguments(),
            request=attempt.take_request(),
            context=self._context(attempt) if attempt.function.takes_context else NO_CONTEXT,
            send_item=partial(self._report, attempt, frames.ITEM),
            max_result_bytes=self._loaded.limits.max_result_bytes,
            make_room=use_memory_reserve,
        )

    def _context(self, attempt: ConcurrentAttempt) -> Context:
        return context_of(
            attempt.start,
            partial(self._report, attempt),
            timeout_s=attempt.start.timeout_s,
            log=self._loaded.log,
            is_cancelled=lambda: attempt.cause is not None,
        )

    def _report(self, attempt: ConcurrentAttempt, kind: bytes, payload: bytes) -> None:
        if not attempt.is_answered:  # not from something left over from it
            self._writer.send_for(attempt, kind, attempt.number, payload)
