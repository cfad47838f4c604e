"""The lines about what people do to many calls at once, and about cancelling one."""

from __future__ import annotations

from collections.abc import Iterable

from runtime.store.invocation_commands import Cancelled
from runtime.telemetry.lifecycle_log import LifecycleEvent, log_events

_EVENTS = {"CANCELLED": "invocation_cancelled", "CANCELLING": "cancellation_requested"}


def log_cancelled(answers: Iterable[tuple[str, Cancelled]]) -> None:
    """Waiting invocations have been cancelled; the workers of running ones were told to."""
    log_events(
        [
            LifecycleEvent(event=_EVENTS[answer], id=id_)
            for id_, answer in answers
            if answer in _EVENTS
        ]
    )


def log_batch(batch: str, function: str, count: int) -> None:
    """A batch has been accepted, all its members at once."""
    log_events(
        [LifecycleEvent(event="batch_accepted", batch=batch, function=function, count=count)]
    )


def log_purged(queue: str, count: int) -> None:
    """All that waited in a queue has been cancelled."""
    log_events([LifecycleEvent(event="queue_purged", queue=queue, count=count)])


def log_publishing(worker: str) -> None:
    """A worker has been told to publish its functions folder."""
    log_events([LifecycleEvent(event="publishing_told", worker=worker)])
