"""Log lines about what callers have done: calls, batches, cancellations, purges, publishing.

Calls are logged through `AcceptanceLog`, which writes the lines of one turn of the event loop
together; the other lines are written at once. No line has arguments or secrets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from runtime.invocations.submission import Submission
from runtime.store.invocation_commands import Cancelled
from runtime.telemetry.lifecycle_log import LifecycleEvent, log_events, logs_routine


class AcceptanceLog:
    """Collects lines about accepted calls, if they are logged at all; used in one event loop."""

    def __init__(self) -> None:
        self._changes: list[LifecycleEvent] = []

    def note(self, submission: Submission) -> None:
        """Log an accepted invocation."""
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


_EVENTS = {"CANCELLED": "invocation_cancelled", "CANCELLING": "cancellation_requested"}


def log_cancelled(answers: Iterable[tuple[str, Cancelled]]) -> None:
    """Log cancelled invocations, and cancellation requests for running ones."""
    log_events(
        [
            LifecycleEvent(event=_EVENTS[answer], id=id_)
            for id_, answer in answers
            if answer in _EVENTS
        ]
    )


def log_batch(batch: str, function: str, count: int) -> None:
    """Log an accepted batch, with one line for all its members."""
    log_events(
        [LifecycleEvent(event="batch_accepted", batch=batch, function=function, count=count)]
    )


def log_purged(queue: str, count: int) -> None:
    """Log that all waiting invocations of a queue were cancelled."""
    log_events([LifecycleEvent(event="queue_purged", queue=queue, count=count)])


def log_publishing(worker: str) -> None:
    """Log that a worker was asked to publish its functions folder."""
    log_events([LifecycleEvent(event="publishing_told", worker=worker)])
