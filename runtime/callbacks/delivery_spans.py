"""The trace of one delivery attempt: the trace headers of its request, and its span."""

from __future__ import annotations

from runtime.callbacks.delivery_attempt import DeliveryOutcome
from runtime.store.delivery_commands import ClaimedDelivery
from runtime.telemetry.tracing import Span, Tracer


class DeliveryTrace:
    """The trace context of one attempt: the invocation's, or with a tracer a span below it."""

    def __init__(self, tracer: Tracer | None, claimed: ClaimedDelivery) -> None:
        self._context = claimed.trace
        self._span: Span | None = None
        if tracer is not None:
            self._span = tracer.begin(
                f"deliver {claimed.function}",
                "client",
                parent=claimed.trace,
                attributes={
                    "penstock.function": claimed.function,
                    "penstock.invocation.id": claimed.invocation,
                    "penstock.delivery.id": claimed.id,
                    "penstock.delivery.attempt": claimed.attempt,
                    "http.request.method": "POST",
                    "server.address": claimed.host,
                },
            )
            self._context = self._span.context

    @property
    def headers(self) -> dict[str, str]:
        """The request headers of W3C Trace Context."""
        if self._context is None:
            return {}
        headers = {"traceparent": self._context.traceparent}
        if self._context.tracestate:
            headers["tracestate"] = self._context.tracestate
        return headers

    def end(self, ended: DeliveryOutcome) -> None:
        """End the span, if there is one."""
        if self._span is None:
            return
        code = ended.status_code
        error = ""
        if not ended.is_success:
            error = str(code) if code is not None else ended.fate.replace("usual", "no_answer")
        self._span.end(
            error=error, attributes={} if code is None else {"http.response.status_code": code}
        )
