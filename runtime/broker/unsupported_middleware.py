"""Which of Dramatiq's own middleware a broker of Penstock does not take, and what does it instead.

It would decide a second time what the record decides, or act on a thread that runs no function.
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
    "an invocation keeps no options of its message; let the function submit what comes next"
)
_INSTEAD: dict[type[Middleware], str] = {
    AgeLimit: "give the function max_age= of @function",
    GroupCallbacks: _CONTINUES,
    Pipelines: _CONTINUES,
    Results: "results are in the invocation's record, where message.get_result() finds them",
    Retries: "give the function retry= of @function",
    ShutdownNotifications: (
        "PENSTOCK_DRAIN_S says how long a stopping worker waits for what it runs, before it cancels"
    ),
    TimeLimit: "give the function timeout= of @function",
}


def check_middleware(middleware: Middleware) -> None:
    """Refuse what conflicts with the record.

    Raises:
        ValueError: It does; the text says what to use.
    """
    for kind, instead in _INSTEAD.items():
        if isinstance(middleware, kind):
            raise ValueError(f"a PenstockBroker takes no {kind.__name__}: {instead}")  # noqa: TRY004
