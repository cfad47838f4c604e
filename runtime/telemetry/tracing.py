"""The protocols of a tracer and a span. Code that makes spans depends on these alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from runtime.telemetry.trace_context import TraceContext

Kind = Literal["internal", "producer", "consumer", "client"]
Attributes = Mapping[str, str | int]


class Span(Protocol):
    """A timed operation, which can cause other spans."""

    @property
    def context(self) -> TraceContext:
        """The trace context for what this span causes."""

    def end(self, *, error: str = "", attributes: Attributes | None = None) -> None:
        """End the span now; `error` is the kind of failure, never its text."""


class Tracer(Protocol):
    """Makes spans and exports them."""

    def begin(
        self,
        name: str,
        kind: Kind,
        *,
        parent: TraceContext | None,
        attributes: Attributes,
        began_at_ms: int | None = None,
    ) -> Span:
        """Begin a span, now or at a moment in the past (ms since the epoch)."""

    def stop(self) -> None:
        """Export what is left, for a short time. Calling it twice is safe."""
