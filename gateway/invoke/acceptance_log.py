"""The lines about what this gateway accepts; those of one turn of the loop go together."""

from __future__ import annotations

import asyncio

from runtime.invocations.submission import Submission
from runtime.telemetry.lifecycle_log import LifecycleEvent, log_events, logs_routine


class AcceptanceLog:
    """Notes acceptances where they are told; used in one event loop."""

    def __init__(self) -> None:
        self._changes: list[LifecycleEvent] = []

    def note(self, submission: Submission) -> None:
        """An invocation was born."""
        if not logs_routine():
            return
        if not self._changes:
            asyncio.get_running_loop().call_soon(self._write)
        trace = submission.trace
        self._changes.append(
            LifecycleEvent(
                event="invocation_accepted",
                id=submission.id,
                function=submission.function,
                queue=submission.queue,
                retry_of=submission.retry_of or "",
                trace_id="" if trace is None else trace.trace_id,
            )
        )

    def _write(self) -> None:
        changes, self._changes = self._changes, []
        log_events(changes)
