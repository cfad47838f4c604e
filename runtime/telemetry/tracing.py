"""What a tracer and a span are, for the code that makes spans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from runtime.telemetry.trace_context import TraceContext

Kind = Literal["internal", "producer", "consumer", "client"]
Attributes = Mapping[str, str | int]


class Span(Protocol):
    """Something that takes time, and that can cause other spans."""

    @property
    def context(self) -> TraceContext:
        """What to pass on to what it causes."""

    def end(self, *, error: str = "", attributes: Attributes | None = None) -> None:
        """End it now; `error` is the kind of failure, never its text."""


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
        """Begin a span, now or at a moment that has passed."""

    def stop(self) -> None:
        """Export what is left, for a moment; safe to call twice."""
