"""Spans of attempts: one for the wait before the first, one for each run.

Only in workers that have a tracer; the function then sees the run's span as what caused it, so
that what it calls belongs there. Without a tracer it sees its caller's.
"""

from __future__ import annotations

import msgspec

from runtime.broker.attempt import Attempt
from runtime.telemetry.trace_context import TraceContext
from runtime.telemetry.tracing import Attributes, Span, Tracer


class _SpanFailure(msgspec.Struct):
    type: str = "exception"


_read_failure = msgspec.json.Decoder(_SpanFailure).decode


class Spans:
    """Those of one worker process; the loop's thread only."""

    def __init__(self, tracer: Tracer | None) -> None:
        self._tracer = tracer
        self._open: dict[Attempt, Span] = {}

    def begin(self, attempt: Attempt) -> tuple[str, str]:
        """Begin the span of a run; return the trace context that its function sees."""
        claimed = attempt.claimed
        if self._tracer is None:
            return claimed.traceparent, claimed.tracestate
        parent = None
        if claimed.traceparent:
            parent = TraceContext(claimed.traceparent, claimed.tracestate)
        attributes: Attributes = {
            "penstock.function": claimed.function,
            "penstock.invocation.id": claimed.id,
            "penstock.attempt": claimed.attempt,
        }
        if claimed.attempt == 1:
            self._tracer.begin(
                f"wait {claimed.function}",
                "internal",
                parent=parent,
                attributes=attributes,
                began_at_ms=claimed.created_at_ms,
            ).end()
        span = self._tracer.begin(
            f"run {claimed.function}", "consumer", parent=parent, attributes=attributes
        )
        self._open[attempt] = span
        return span.context.traceparent, span.context.tracestate

    def end(self, attempt: Attempt, status: str, error: bytes = b"") -> None:
        """End it, if it was begun; `error` is the record's."""
        span = self._open.pop(attempt, None) if self._open else None
        if span is None:
            return
        kind = "" if status == "succeeded" else status
        if error:
            kind = _read_failure(error).type
        span.end(error=kind, attributes={"penstock.status": status})
