"""The trace of one delivery attempt: what its request carries, and its span."""

from __future__ import annotations

from runtime.callbacks.delivery_attempt import DeliveryOutcome
from runtime.store.delivery_commands import ClaimedDelivery
from runtime.telemetry.tracing import Span, Tracer


class DeliveryTrace:
    """The context a callback carries on; with a tracer, a span of its own in between."""

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
        """What W3C Trace Context puts into the request."""
        if self._context is None:
            return {}
        headers = {"traceparent": self._context.traceparent}
        if self._context.tracestate:
            headers["tracestate"] = self._context.tracestate
        return headers

    def end(self, ended: DeliveryOutcome) -> None:
        """The attempt is over."""
        if self._span is None:
            return
        code = ended.status_code
        error = ""
        if not ended.is_success:
            error = str(code) if code is not None else ended.fate.replace("usual", "no_answer")
        self._span.end(
            error=error, attributes={} if code is None else {"http.response.status_code": code}
        )
