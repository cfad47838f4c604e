"""Spans of attempts: one for the wait before the first, one for each run.

Only in workers that have a tracer; the function then sees the run's span as what
caused it, so that what it calls belongs there.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from runtime.broker.attempt import Attempt
from runtime.telemetry.trace_context import TraceContext
from runtime.telemetry.tracing import Attributes, Tracer

Run = Callable[[Attempt], None]


class _Failure(msgspec.Struct):
    type: str = "exception"


_read_failure = msgspec.json.Decoder(_Failure).decode


def traced(run: Run, tracer: Tracer | None) -> Run:
    """Return `run` with spans around it, or as it is without a tracer."""
    if tracer is None:
        return run

    def run_traced(attempt: Attempt) -> None:
        claimed = attempt.claimed
        parent = None
        if claimed.traceparent:
            parent = TraceContext(claimed.traceparent, claimed.tracestate)
        attributes: Attributes = {
            "penstock.function": claimed.function,
            "penstock.invocation.id": claimed.id,
            "penstock.attempt": claimed.attempt,
        }
        if claimed.attempt == 1:
            tracer.begin(
                f"wait {claimed.function}",
                "internal",
                parent=parent,
                attributes=attributes,
                began_at_ms=claimed.created_at_ms,
            ).end()
        span = tracer.begin(
            f"run {claimed.function}", "consumer", parent=parent, attributes=attributes
        )
        context = span.context
        attempt.claimed = replace(
            claimed, traceparent=context.traceparent, tracestate=context.tracestate
        )
        try:
            run(attempt)
        finally:
            status, error = _ending(attempt)
            span.end(error=error, attributes={"penstock.status": status})

    return run_traced


def _ending(attempt: Attempt) -> tuple[str, str]:
    """Return the attempt's status and the kind of its failure."""
    settlement = attempt.settlement
    if settlement is None:
        return "given_back", "given_back"
    if settlement.status == "succeeded":
        return "succeeded", ""
    if not settlement.error:
        return settlement.status, settlement.status
    return settlement.status, _read_failure(settlement.error).type
