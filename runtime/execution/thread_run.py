"""The state of one attempt with `isolation="thread"`: its input, its progress, its ending.

The loop thread creates it, a thread of the backend (`thread_backend`) runs it, and the loop thread
gets it back. Each attribute says which thread writes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from runtime.execution.assignment import Assignment
from runtime.execution.outcome import Ending
from runtime.execution.runner_protocol import RunnerLimits
from runtime.execution.thread_interrupt import InterruptGuard
from runtime.execution.thread_logs import AttemptLogs
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest

_BROKEN_OFF = Ending(kind="exception", message="Penstock could not run it")


@dataclass(slots=True, eq=False)
class ThreadRun:
    """One attempt in the thread backend.

    Attributes:
        assignment: The attempt.
        manifest: Of the function.
        bundle: The function's source.
        limits: Size limits on its result and its output.
        on_note: Called with ("log" | "progress" | "item" | "event", payload) by the thread that
            runs it, where a ThreadInterrupt may be raised at any point.
        attempt: The caller's own object for this attempt.
        ending: How it ended. Its thread writes `ending`, `result` and `ran_s`; the loop thread
            reads them once it has the run back.
        result: The bytes of the result.
        ran_s: How long the call took; 0 if it was not called.
        is_cancelled: Cancelled before it was over; `ctx.cancelled` in the function. By the loop
            thread.
        is_quick: The function's mean run time is short. By the loop thread, before it starts.
        work_us: Its expected run time. By the loop thread, before it starts.
        is_over: Its ending is final. Under the lock of `ThreadPool`, or by the loop thread.
        output: The output that was kept, None without any. By its thread.
        guard: Interrupts its call; None while none runs. By its thread, read by the loop thread.
    """

    assignment: Assignment
    manifest: Manifest
    bundle: Bundle
    limits: RunnerLimits
    on_note: Callable[[str, bytes], None]
    attempt: object = None
    ending: Ending = _BROKEN_OFF
    result: bytes = b""
    ran_s: float = 0.0
    is_cancelled: bool = False
    is_quick: bool = False
    work_us: int = 0
    is_over: bool = False
    guard: InterruptGuard | None = None
    output: AttemptLogs | None = field(default=None, init=False)

    def on_output(self, data: bytes) -> None:
        """Keep output up to the limit and pass it on; called by the thread that writes it."""
        if self.output is None:
            self.output = AttemptLogs(self.limits.max_log_bytes)
        if kept := self.output.add(data):
            self.on_note("log", kept)
