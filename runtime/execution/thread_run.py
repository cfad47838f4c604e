"""One attempt of `isolation="thread"`: what it is given, how far it is, how it ended.

Made by the loop thread, run by a thread of the lane (`runtime.execution.thread_backend`), which
gives it back to the loop thread. What may be read when is said at each attribute.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field

from runtime.execution.attempt_logs import AttemptLogs
from runtime.execution.outcome import Assignment, Ending
from runtime.execution.runner_protocol import RunnerLimits
from runtime.execution.thread_interrupt import InterruptGuard
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest

CANCELLED = Ending(kind="cancelled")
_BROKEN_OFF = Ending(kind="exception", message="Penstock could not run it")


@dataclass(slots=True, eq=False)
class ThreadRun:
    """One attempt on its way through the lane.

    Attributes:
        assignment: The attempt.
        manifest: Of the function.
        bundle: Its source.
        limits: How much is kept of its result and its output.
        on_note: Called with ("log" | "progress" | "item" | "event", payload) while it runs: in the
            thread that runs it, where an Interruption may come at any point.
        attempt: Whatever the caller wants to find again when the run has ended.
        context: It runs in a copy of this context, where one is given.
        ending: How it ended. This and the following are final once the run is given back.
        result: The result's bytes.
        ran_s: How long the call lasted; 0 if it was not called.
        begun_at_ms: When it began, by the worker's clock; 0 until then. For people.
        is_cancelled: It was cancelled before it was over; `ctx.cancelled` in the function.
        is_quick: Its function's mean run time here is short (set when it is handed over).
        work_us: How much work it is expected to be (set when it is handed over).
        is_over: Its ending stands (changed under the lane's lock).
        guard: Interrupts its call while it runs (set by its thread, read by the loop thread).
    """

    assignment: Assignment
    manifest: Manifest
    bundle: Bundle
    limits: RunnerLimits
    on_note: Callable[[str, bytes], None]
    attempt: object = None
    context: Context | None = None
    ending: Ending = _BROKEN_OFF
    result: bytes = b""
    ran_s: float = 0.0
    begun_at_ms: int = 0
    is_cancelled: bool = False
    is_quick: bool = False
    work_us: int = 0
    is_over: bool = False
    guard: InterruptGuard | None = None
    _logs: AttemptLogs | None = field(default=None, init=False)

    @property
    def logs(self) -> bytes:
        """What the function printed and logged."""
        return b"" if self._logs is None else self._logs.text()

    def on_output(self, data: bytes) -> None:
        """Keep output as far as it fits, and pass that on (in the thread that writes it)."""
        if self._logs is None:
            self._logs = AttemptLogs(self.limits.max_log_bytes)
        if kept := self._logs.add(data):
            self.on_note("log", kept)
