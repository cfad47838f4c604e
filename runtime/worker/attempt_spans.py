"""Trace spans of attempts: one for the wait before the first attempt, one for each run.

With a tracer the function gets the run's span as its trace context, so its own calls belong to that
span. Without a tracer it gets its caller's trace context.
"""

from __future__ import annotations

from runtime.broker.attempt import Attempt
from runtime.broker.failure import read_failure
from runtime.telemetry.trace_context import TraceContext
from runtime.telemetry.tracing import Attributes, Span, Tracer


class Spans:
    """The open spans of one worker process. Used by the loop thread only."""

    def __init__(self, tracer: Tracer | None) -> None:
        self._tracer = tracer
        self._open: dict[Attempt, Span] = {}

    def begin(self, attempt: Attempt) -> tuple[str, str]:
        """Begin the span of a run; return its function's `traceparent` and `tracestate`."""
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
        """End the span of an attempt, if it has one; `error` is the record's error as JSON."""
        span = self._open.pop(attempt, None) if self._open else None
        if span is None:
            return
        kind = "" if status == "succeeded" else status
        if error:
            kind = read_failure(error).type
        span.end(error=kind, attributes={"penstock.status": status})
