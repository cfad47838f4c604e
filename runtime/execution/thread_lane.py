"""isolation="thread": trusted small functions run in the worker's own threads.

No process in between, so no kill: a function out of time is interrupted by an
exception, which reaches it when it next runs Python code; an async one is cancelled
by its event loop, so that waiting ends too. One that catches it or
sits in C code holds its thread until it returns; its outcome is `timeout` even so.
A caller's cancellation only shows as `ctx.cancelled`: whether to stop is up to it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from runtime.errors import LoadError
from runtime.execution.attempt_output import Sink
from runtime.execution.ears import Logs, OnNote
from runtime.execution.ending import Ending
from runtime.execution.function_log import FunctionLog
from runtime.execution.interruption import Guard, Interruption, Watchdog
from runtime.execution.notes import encode_note, encode_progress
from runtime.execution.outcome import Assignment
from runtime.execution.performance import describe, perform
from runtime.execution.runner_frames import Limits
from runtime.execution.running import Running
from runtime.execution.thread_output import ThreadOutput
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest
from runtime.sdk.context import Context, Number

if TYPE_CHECKING:
    from runtime.registry.invoking import LoadedFunction

_VERSIONS_KEPT = 3
Functions: TypeAlias = "dict[str, LoadedFunction]"
Told = tuple[Ending, bytes]


class ThreadLane:
    """Loads each version once and calls it in whatever thread asks."""

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._loaded: dict[str, Functions] = {}  # by version
        self._versions: dict[str, list[str]] = {}  # by file, oldest first
        self._watchdog = Watchdog()
        self._output = ThreadOutput()
        self._log = FunctionLog(self._output.write_line)

    def run(
        self,
        assignment: Assignment,
        manifest: Manifest,
        bundle: Bundle,
        *,
        running: Running,
        limits: Limits,
        logs: Logs,
        on_note: OnNote,
    ) -> Told:
        """Run one attempt in this thread; return how it ended, and its result."""

        def keep(data: bytes) -> None:
            if kept := logs.add(data):
                on_note("log", kept)

        sink = Sink(limits.max_log_bytes)
        sink.open(keep)
        self._watchdog.start()
        self._output.capture(sink)
        try:
            told = self._call(assignment, manifest, bundle, running, limits, on_note)
        finally:
            self._output.capture(None)
        sink.close()
        return told

    def stop(self) -> None:
        """Give back what was taken over; twice is safe."""
        self._watchdog.stop()
        self._output.restore()

    def _call(
        self,
        assignment: Assignment,
        manifest: Manifest,
        bundle: Bundle,
        running: Running,
        limits: Limits,
        on_note: OnNote,
    ) -> Told:
        try:
            function = self._functions_of(bundle)[assignment.function]
        except LoadError as error:
            return describe(error), b""
        except KeyError:
            text = f"this version does not publish {assignment.function}"
            return Ending(kind="exception", message=text), b""
        call = partial(
            perform,
            function,
            assignment.arguments,
            request=assignment.request,
            context=_context(assignment, manifest, running, on_note, self._log),
            tell_item=partial(on_note, "item"),
            max_result_bytes=limits.max_result_bytes,
            limit_s=manifest.options.timeout_s,
        )
        return self._guarded(call, manifest.options.timeout_s, running)

    def _guarded(self, call: Callable[[], Told], timeout_s: float, running: Running) -> Told:
        self._watchdog.start()  # before the call may be interrupted: a start must not be
        guard = Guard(timeout_s)
        told: Told = Ending(kind="cancelled"), b""
        try:
            try:
                self._watchdog.watch(guard, timeout_s)
                if running.attach(lambda: guard.interrupt("cancelled"), is_gentle=True):
                    told = call()
            finally:
                guard.disarm()
        except Interruption:
            pass  # the one there is; `guard.cause` says why
        self._watchdog.forget(guard)
        running.detach()
        if guard.cause == "timeout":
            return Ending(kind="timeout", message=f"ran longer than {timeout_s:g} s"), b""
        return (Ending(kind="cancelled"), b"") if guard.cause else told

    def _functions_of(self, bundle: Bundle) -> Functions:
        found = self._loaded.get(bundle.version)
        if found is not None:
            return found
        # Loading takes pydantic along, which most workers do without.
        from runtime.registry.loading import load  # noqa: PLC0415

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
            function.unload()
            return


def _context(
    assignment: Assignment,
    manifest: Manifest,
    running: Running,
    on_note: OnNote,
    log: FunctionLog,
) -> Context:
    def progress(done: Number, total: Number | None, message: str) -> None:
        on_note("progress", encode_progress(done, total, message))

    return Context(
        id=assignment.id,
        function=assignment.function,
        attempt=assignment.attempt,
        timeout_s=manifest.options.timeout_s,
        traceparent=assignment.traceparent,
        tracestate=assignment.tracestate,
        on_progress=progress,
        on_event=lambda event: on_note("event", encode_note(event)),
        is_cancelled=lambda: running.is_cancelled,
        log=log,
    )
