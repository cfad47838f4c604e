"""Runs one attempt with `isolation="thread"` in the calling thread: load, call, ending.

The function runs in the worker process, so it cannot be killed. If it exceeds its timeout, an
exception is raised in it when it next executes Python code; an async one is cancelled by its event
loop. A function that swallows the exception, or is in C code, keeps its thread until it returns;
its ending is "timeout" all the same. A caller's cancellation only sets `ctx.cancelled`.
"""

from __future__ import annotations

import ctypes
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from runtime.errors import LoadError
from runtime.execution.call_function import describe, perform
from runtime.execution.context_log import FunctionLog
from runtime.execution.notes import NO_CONTEXT, context_of
from runtime.execution.outcome import CANCELLED, Ending, timed_out
from runtime.execution.runner_output import OutputSink
from runtime.execution.thread_interrupt import InterruptGuard, ThreadInterrupt
from runtime.execution.thread_output import ThreadOutput
from runtime.execution.thread_run import ThreadRun
from runtime.registry.bundle import Bundle
from runtime.sdk.context import Context

if TYPE_CHECKING:
    from runtime.registry.loaded_function import LoadedFunction

_VERSIONS_KEPT = 3
Functions: TypeAlias = "dict[str, LoadedFunction]"


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
        sink = OutputSink(run.limits.max_log_bytes)
        sink.open(run.on_output)
        self._output.capture(sink)
        try:
            self._load_and_call(run, thread_id)
        finally:
            self._output.capture(None)
            sink.close()

    def stop(self) -> None:
        """Restore the output of the process; twice is safe."""
        self._output.restore()

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
        context = self._context(run) if function.takes_context else NO_CONTEXT
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
            reported = timed_out(limit_s), b""
        elif guard.cause is not None:
            reported = CANCELLED, b""
        run.ending, run.result = reported

    def _context(self, run: ThreadRun) -> Context:
        return context_of(
            run.assignment,
            lambda kind, payload: run.on_note(kind.decode(), payload),
            timeout_s=run.manifest.options.timeout_s,
            log=self._log,
            is_cancelled=lambda: run.is_cancelled,
        )


class LoadedVersions:
    """The last three loaded versions of each function file; used by any thread of the backend."""

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._loaded: dict[str, Functions] = {}  # by version
        self._versions: dict[str, list[str]] = {}  # by file, oldest first

    def __len__(self) -> int:
        return len(self._loaded)

    def functions_of(self, bundle: Bundle) -> Functions:
        """Return the functions of a bundle by name; load it first if necessary.

        Raises:
            LoadError: It cannot be loaded.
        """
        found = self._loaded.get(bundle.version)
        if found is not None:
            return found
        # This imports pydantic, which most workers never need.
        from runtime.registry.loading import load  # noqa: PLC0415

        # Checked again under the lock: another thread may have loaded it meanwhile.
        with self._loading:
            found = self._loaded.get(bundle.version)
            if found is None:
                found = self._loaded[bundle.version] = load(bundle)
                versions = self._versions.setdefault(bundle.file, [])
                versions.append(bundle.version)
                if len(versions) > _VERSIONS_KEPT:
                    self._forget(versions.pop(0))
            return found

    def _forget(self, version: str) -> None:
        for function in self._loaded.pop(version).values():
            function.unload()  # unloads all functions of its file
            return
