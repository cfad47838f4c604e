"""Runs one attempt with `isolation="thread"` in the calling thread: load, call, ending.

The function runs in the worker process, so it cannot be killed. If it exceeds its timeout, an
exception is raised in it when it next executes Python code; an async one is cancelled by its event
loop. A function that swallows the exception, or is in C code, keeps its thread until it returns;
its ending is "timeout" all the same. A caller's cancellation only sets `ctx.cancelled`.
"""

from __future__ import annotations

import ctypes
import time
from functools import partial

from runtime.errors import LoadError
from runtime.execution.call_function import describe, perform
from runtime.execution.function_log import FunctionLog
from runtime.execution.loaded_versions import LoadedVersions
from runtime.execution.notes import encode_event, encode_progress
from runtime.execution.outcome import Ending
from runtime.execution.runner_output import OutputSink
from runtime.execution.thread_interrupt import InterruptGuard, ThreadInterrupt
from runtime.execution.thread_output import ThreadOutput
from runtime.execution.thread_run import CANCELLED, ThreadRun
from runtime.sdk.context import Context, Number

_NO_CONTEXT = Context()


class ThreadAttempts:
    """Runs attempts in the calling thread; all threads of a backend share one instance."""

    def __init__(self) -> None:
        self.versions = LoadedVersions()
        self._output = ThreadOutput()
        self._log = FunctionLog(self._output.write_line)

    def run(self, run: ThreadRun, thread_id: ctypes.c_ulong) -> None:
        """Run an attempt and set its ending; no ThreadInterrupt comes after this returns.

        Args:
            run: The attempt.
            thread_id: `threading.get_ident()` of the calling thread.
        """
        run.begun_at_ms = time.time_ns() // 1_000_000
        if run.context is None:
            self._run(run, thread_id)
        else:
            run.context.copy().run(self._run, run, thread_id)

    def stop(self) -> None:
        """Restore the output of the process; twice is safe."""
        self._output.restore()

    def _run(self, run: ThreadRun, thread_id: ctypes.c_ulong) -> None:
        sink = OutputSink(run.limits.max_log_bytes)
        sink.open(run.on_output)
        self._output.capture(sink)
        try:
            self._load_and_call(run, thread_id)
        finally:
            self._output.capture(None)
            sink.close()

    def _load_and_call(self, run: ThreadRun, thread_id: ctypes.c_ulong) -> None:
        name = run.assignment.function
        try:
            function = self.versions.functions_of(run.bundle)[name]
        except LoadError as error:
            run.ending = describe(error)
            return
        except KeyError:
            text = f"this version does not publish {name}"
            run.ending = Ending(kind="exception", message=text)
            return
        limit_s = run.manifest.options.timeout_s
        context = _context(run, self._log) if function.takes_context else _NO_CONTEXT
        reported = CANCELLED, b""
        began_at = time.monotonic()
        guard = InterruptGuard(limit_s, thread_id)
        try:
            try:
                # The loop thread sets `is_cancelled`, then reads `guard`. This thread sets `guard`,
                # then reads `is_cancelled`. At least one sees the other's write.
                run.guard = guard
                if not run.is_cancelled:
                    reported = perform(
                        function,
                        run.assignment.arguments,
                        request=run.assignment.request,
                        context=context,
                        send_item=partial(run.on_note, "item"),
                        max_result_bytes=run.limits.max_result_bytes,
                        limit_s=limit_s,
                    )
            finally:
                guard.disarm()
        except ThreadInterrupt:
            pass  # there is only one, and `guard.cause` has its reason
        run.guard = None
        run.ran_s = time.monotonic() - began_at
        if guard.cause == "timeout":
            reported = Ending(kind="timeout", message=f"ran longer than {limit_s:g} s"), b""
        elif guard.cause is not None:
            reported = CANCELLED, b""
        run.ending, run.result = reported


def _context(run: ThreadRun, log: FunctionLog) -> Context:
    def progress(done: Number, total: Number | None, message: str) -> None:
        run.on_note("progress", encode_progress(done, total, message))

    assignment = run.assignment
    return Context(
        id=assignment.id,
        function=assignment.function,
        attempt=assignment.attempt,
        timeout_s=run.manifest.options.timeout_s,
        traceparent=assignment.traceparent,
        tracestate=assignment.tracestate,
        on_progress=progress,
        on_event=lambda event: run.on_note("event", encode_event(event)),
        is_cancelled=lambda: run.is_cancelled,
        log=log,
    )
