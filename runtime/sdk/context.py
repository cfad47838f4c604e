"""The context object through which a running function reads about and reports on its invocation.

It is injected into parameters annotated `Context`. The runner passes callables that send frames to
the worker. Without them the methods do nothing, so a test can call
`thumbnail(image, ctx=Context())`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Number = int | float
_LOG = logging.getLogger("penstock.function")
_MOST = 2**63 - 1


class Context:
    """One attempt at an invocation, as seen from inside the function.

    Attributes:
        id: Id of the invocation.
        function: Name of the function.
        attempt: Number of the attempt, from 1.
        traceparent: W3C trace context to pass on to other services; None if there is none.
        tracestate: The value that belongs to `traceparent`.
        log: A logger whose records appear in the invocation's log.
    """

    __slots__ = (
        "_deadline_at_monotonic_s",
        "_deadline_at_s",
        "_is_cancelled",
        "_on_event",
        "_on_progress",
        "attempt",
        "function",
        "id",
        "log",
        "traceparent",
        "tracestate",
    )

    def __init__(  # noqa: PLR0913 - the one place where the runner passes everything in
        self,
        *,
        id: str = "",  # noqa: A002 - the word users know from the API
        function: str = "",
        attempt: int = 1,
        timeout_s: float = 60.0,
        traceparent: str | None = None,
        tracestate: str | None = None,
        on_progress: Callable[[Number, Number | None, str], None] | None = None,
        on_event: Callable[[Any], None] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self.id = id
        self.function = function
        self.attempt = attempt
        self.traceparent = traceparent
        self.tracestate = tracestate
        self.log = log if log is not None else _LOG
        self._deadline_at_s = time.time() + timeout_s
        self._deadline_at_monotonic_s = time.monotonic() + timeout_s
        self._on_progress = on_progress
        self._on_event = on_event
        self._is_cancelled = is_cancelled

    @property
    def deadline(self) -> datetime:
        """The time (UTC) at which the attempt times out."""
        return datetime.fromtimestamp(self._deadline_at_s, UTC)

    @property
    def remaining_s(self) -> float:
        """Seconds until the timeout, 0 if it has passed."""
        return max(0.0, self._deadline_at_monotonic_s - time.monotonic())

    @property
    def cancelled(self) -> bool:
        """Whether cancellation was requested; check it in long loops."""
        return self._is_cancelled is not None and self._is_cancelled()

    def progress(self, done: Number, total: Number | None = None, message: str = "") -> None:
        """Report progress; the invocation shows the latest report."""
        for name, value in (("done", done), ("total", total)):
            if value is not None and not _is_number(value):
                text = f"progress: {name} must be a number from -{_MOST} to {_MOST}"
                raise TypeError(f"{text}; its type is {type(value).__name__}")
        if self._on_progress is not None:
            self._on_progress(done, total, str(message))

    def emit(self, event: Any) -> None:  # noqa: ANN401 - any JSON value
        """Send an event (any JSON value) to the clients that follow this invocation."""
        if self._on_event is not None:
            self._on_event(event)

    def __repr__(self) -> str:
        return f"Context(id={self.id!r}, function={self.function!r}, attempt={self.attempt})"


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_MOST <= value <= _MOST  # False for NaN too
