"""The lines about attempts: who started, and how they ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from runtime.broker.attempt import Attempt
from runtime.store.invocation_commands import Settled, Settlement
from runtime.telemetry.lifecycle_log import Change, tell, tells_usual
from runtime.telemetry.trace_context import trace_id_of


class _Failure(msgspec.Struct):
    """What of an attempt's error may be told: its kind, never its text."""

    type: str = ""
    exception_type: str | None = None


_REFUSED = {"STALE": "late_result_refused", "BROKEN": "invocation_set_aside"}
_read_failure = msgspec.json.Decoder(_Failure).decode


def tell_started(attempts: Sequence[Attempt], worker: str) -> None:
    """Attempts have been claimed by this worker."""
    if attempts and tells_usual():
        tell([_change("invocation_started", attempt, worker=worker) for attempt in attempts])


def tell_expired(ids: Iterable[str]) -> None:
    """Invocations had waited longer than they were allowed to."""
    tell([Change(event="invocation_expired", id=id_) for id_ in ids])


def tell_given_back(attempts: Iterable[Attempt]) -> None:
    """Attempts went back to their lanes."""
    tell([_change("invocation_given_back", attempt) for attempt in attempts])


def tell_ended(batch: Iterable[tuple[Attempt, Settlement]], replies: Iterable[Settled]) -> None:
    """Attempts have been settled, or were refused."""
    is_usual_told = tells_usual()
    tell(
        [
            _ended(attempt, settlement, reply)
            for (attempt, settlement), reply in zip(batch, replies, strict=True)
            if is_usual_told or settlement.status != "succeeded" or reply in _REFUSED
        ]
    )


def _ended(attempt: Attempt, settlement: Settlement, reply: Settled) -> Change:
    if reply in _REFUSED:
        return _change(_REFUSED[reply], attempt)
    failure = _read_failure(settlement.error) if settlement.error else _Failure()
    return _change(
        f"invocation_{settlement.status}",
        attempt,
        error_type=failure.type,
        exception_type=failure.exception_type or "",
        retry_in_ms=settlement.retry_after_ms if settlement.status == "retrying" else None,
    )


def _change(
    event: str,
    attempt: Attempt,
    *,
    worker: str = "",
    error_type: str = "",
    exception_type: str = "",
    retry_in_ms: int | None = None,
) -> Change:
    claimed = attempt.claimed
    return Change(
        event=event,
        id=claimed.id,
        function=claimed.function,
        attempt=claimed.attempt,
        worker=worker,
        error_type=error_type,
        exception_type=exception_type,
        duration_ms=attempt.duration_ms,
        retry_in_ms=retry_in_ms,
        trace_id=trace_id_of(claimed.traceparent),
    )
