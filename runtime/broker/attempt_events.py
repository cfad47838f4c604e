"""Log events of attempts: started, expired, requeued, settled or refused.

Used by the claimer and the settler. An error's kind is logged, never its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from runtime.broker.attempt import Attempt
from runtime.broker.failure import Failure, read_failure
from runtime.store.invocation_commands import Settled, Settlement
from runtime.telemetry.lifecycle_log import LifecycleEvent, log_events, logs_routine
from runtime.telemetry.trace_context import trace_id_of

_REFUSED = {"STALE": "late_result_refused", "BROKEN": "invocation_set_aside"}


def log_started(attempts: Sequence[Attempt], worker: str) -> None:
    """Log that this worker has claimed attempts."""
    if attempts and logs_routine():
        log_events([_change("invocation_started", attempt, worker=worker) for attempt in attempts])


def log_expired(ids: Iterable[str]) -> None:
    """Log invocations whose `max_age` ran out before they started."""
    log_events([LifecycleEvent(event="invocation_expired", id=id_) for id_ in ids])


def log_requeued(attempts: Iterable[Attempt]) -> None:
    """Log attempts that were requeued."""
    log_events([_change("invocation_given_back", attempt) for attempt in attempts])


def log_ended(batch: Iterable[tuple[Attempt, Settlement]], replies: Iterable[Settled]) -> None:
    """Log how attempts were settled; `replies` are those of the settle script, in order."""
    is_routine_logged = logs_routine()
    log_events(
        [
            _ended(attempt, settlement, reply)
            for (attempt, settlement), reply in zip(batch, replies, strict=True)
            if is_routine_logged or settlement.status != "succeeded" or reply in _REFUSED
        ]
    )


def _ended(attempt: Attempt, settlement: Settlement, reply: Settled) -> LifecycleEvent:
    if reply in _REFUSED:
        return _change(_REFUSED[reply], attempt)
    failure = read_failure(settlement.error) if settlement.error else Failure(type="")
    return _change(
        f"invocation_{settlement.status}",
        attempt,
        error_type=failure.type,
        exception_type=failure.exception_type or "",
        retry_in_ms=settlement.retry_after_ms if settlement.status == "retrying" else None,
    )


def _change(event: str, attempt: Attempt, **more: Any) -> LifecycleEvent:  # noqa: ANN401 - its fields
    claimed = attempt.claimed
    return LifecycleEvent(
        event=event,
        id=claimed.id,
        function=claimed.function,
        attempt=claimed.attempt,
        duration_ms=attempt.duration_ms,
        trace_id=trace_id_of(claimed.traceparent),
        **more,
    )
