"""A function that shows what trace it belongs to."""

from __future__ import annotations

from penstock import Context, function


@function()
def traced(*, ctx: Context) -> dict[str, str | None]:
    """Return the trace context as the function sees it."""
    return {"traceparent": ctx.traceparent, "tracestate": ctx.tracestate}


@function(isolation="thread")
def traced_in_a_thread(*, ctx: Context) -> dict[str, str | None]:
    """Return the trace context as the function sees it."""
    return {"traceparent": ctx.traceparent, "tracestate": ctx.tracestate}
