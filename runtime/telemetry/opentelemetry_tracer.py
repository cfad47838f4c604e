"""The tracer that exports spans with OpenTelemetry, by OTLP over HTTP. Imported only when needed.

The standard OTEL_* variables set endpoint, headers, sampler, batching and resource. The exporter
has a thread of its own. While its receiver is away, spans are dropped.
"""

from __future__ import annotations

import os
import threading

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as ApiSpan
from opentelemetry.trace.span import TraceState

from runtime.telemetry.trace_context import TraceContext
from runtime.telemetry.tracing import Attributes, Kind

_NS_PER_MS = 1_000_000
_FAREWELL_S = 2.0
_KINDS = {
    "internal": SpanKind.INTERNAL,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "client": SpanKind.CLIENT,
}


class OpenTelemetryTracer:
    """The tracer of a process (`runtime.telemetry.tracing.Tracer`)."""

    def __init__(self, part: str) -> None:
        resource = Resource.create(
            {"service.name": "penstock", "penstock.part": part, "process.pid": os.getpid()}
        )
        named = Resource.create()  # from OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, which win
        if not str(named.attributes.get("service.name", "")).startswith("unknown_service"):
            resource = resource.merge(named)
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("penstock")

    def begin(
        self,
        name: str,
        kind: Kind,
        *,
        parent: TraceContext | None,
        attributes: Attributes,
        began_at_ms: int | None = None,
    ) -> OpenTelemetrySpan:
        """Begin a span, now or at a moment in the past (ms since the epoch)."""
        span = self._tracer.start_span(
            name,
            context=_context_of(parent),
            kind=_KINDS[kind],
            attributes=dict(attributes),
            start_time=None if began_at_ms is None else began_at_ms * _NS_PER_MS,
        )
        return OpenTelemetrySpan(span)

    def stop(self) -> None:
        """Export what is left, for up to 2 s. Calling it twice is safe."""
        last_words = threading.Thread(target=self._provider.shutdown, daemon=True)
        last_words.start()
        last_words.join(_FAREWELL_S)


class OpenTelemetrySpan:
    """One span (`runtime.telemetry.tracing.Span`)."""

    def __init__(self, span: ApiSpan) -> None:
        self._span = span

    @property
    def context(self) -> TraceContext:
        """The trace context for what this span causes."""
        own = self._span.get_span_context()
        traceparent = f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}"
        return TraceContext(traceparent, own.trace_state.to_header())

    def end(self, *, error: str = "", attributes: Attributes | None = None) -> None:
        """End the span now; `error` is the kind of failure, never its text."""
        if attributes:
            self._span.set_attributes(dict(attributes))
        if error:
            self._span.set_attribute("error.type", error)
            self._span.set_status(StatusCode.ERROR, error)
        self._span.end()


def _context_of(parent: TraceContext | None) -> Context:
    if parent is None:
        return Context()
    _, trace_id, span_id, flags = parent.traceparent.split("-")
    remote = SpanContext(
        trace_id=int(trace_id, 16),
        span_id=int(span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(int(flags, 16)),
        trace_state=TraceState.from_header([parent.tracestate]) if parent.tracestate else None,
    )
    return set_span_in_context(NonRecordingSpan(remote), Context())
