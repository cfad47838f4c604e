"""Tracing at the gateway: the caller's trace context from headers, and a span for accepting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from gateway.serving.request_parser import HEADERS
from runtime.invocations.submission import Submission
from runtime.telemetry.trace_context import TraceContext, read_trace
from runtime.telemetry.tracing import Tracer


def trace_of(scope: Mapping[str, Any]) -> TraceContext | None:
    """Return the trace context in a request's headers; None without a valid `traceparent`."""
    headers: Mapping[bytes, bytes] = scope[HEADERS]
    traceparent = headers.get(b"traceparent")
    if traceparent is None:
        return None
    tracestate = headers.get(b"tracestate", b"")
    return read_trace(traceparent.decode("latin-1"), tracestate.decode("latin-1"))


@contextmanager
def accepting(tracer: Tracer | None, submission: Submission) -> Iterator[Submission]:
    """Put a span around the submission of an invocation, which becomes a child of the span."""
    if tracer is None:
        yield submission
        return
    span = tracer.begin(
        f"accept {submission.function}",
        "producer",
        parent=submission.trace,
        attributes={
            "penstock.function": submission.function,
            "penstock.invocation.id": submission.id,
            "penstock.queue": submission.queue,
        },
    )
    error = ""
    try:
        yield replace(submission, trace=span.context)
    except Exception as failure:
        error = getattr(failure, "code", type(failure).__name__)
        raise
    finally:
        span.end(error=error)
