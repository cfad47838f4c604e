"""Dramatiq's own middleware that PenstockBroker refuses, and what to use instead.

Each would decide again what the invocation's record decides, or act on a thread that runs no
function.
"""

from __future__ import annotations

from dramatiq.middleware import (
    AgeLimit,
    GroupCallbacks,
    Middleware,
    Pipelines,
    Retries,
    ShutdownNotifications,
    TimeLimit,
)
from dramatiq.results import Results

_CONTINUES = (
    "an invocation does not keep its message's options; submit the next call in the function"
)
_INSTEAD: dict[type[Middleware], str] = {
    AgeLimit: "give the function max_age= of @function",
    GroupCallbacks: _CONTINUES,
    Pipelines: _CONTINUES,
    Results: "results are in the invocation's record, and message.get_result() reads them there",
    Retries: "give the function retries= of @function",
    ShutdownNotifications: (
        "PENSTOCK_DRAIN_S sets how long a stopping worker waits for its attempts before it cancels"
    ),
    TimeLimit: "give the function timeout= of @function",
}


def check_middleware(middleware: Middleware) -> None:
    """Refuse a middleware that conflicts with the record.

    Raises:
        ValueError: It conflicts; the text says what to use instead.
    """
    for kind, instead in _INSTEAD.items():
        if isinstance(middleware, kind):
            raise ValueError(f"PenstockBroker does not accept {kind.__name__}: {instead}")  # noqa: TRY004
