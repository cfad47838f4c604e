"""What a running function can know and tell of its own invocation.

Injected where a parameter is annotated `Context`. It holds plain callables that
the runner wires to its frames; without them everything is a no-op, so that an
author can write `thumbnail(image, ctx=Context())` in a test.
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
    """One attempt at an invocation, as seen from inside the function."""

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

    def __init__(  # noqa: PLR0913 - the one place where the runner wires everything
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
        """When the timeout comes."""
        return datetime.fromtimestamp(self._deadline_at_s, UTC)

    @property
    def remaining_s(self) -> float:
        """Seconds until the timeout; 0 when it has passed."""
        return max(0.0, self._deadline_at_monotonic_s - time.monotonic())

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to cancel; worth a look in long loops of a thread."""
        return self._is_cancelled is not None and self._is_cancelled()

    def progress(self, done: Number, total: Number | None = None, message: str = "") -> None:
        """Tell how far the work is; the invocation shows the last one told."""
        for name, value in (("done", done), ("total", total)):
            if value is not None and not _is_number(value):
                text = f"progress: {name} must be a number, finite and at most {_MOST}"
                raise TypeError(f"{text}; it is of type {type(value).__name__}")
        if self._on_progress is not None:
            self._on_progress(done, total, str(message))

    def emit(self, event: Any) -> None:  # noqa: ANN401 - any JSON value
        """Send an event (any JSON value) to whoever listens to this invocation."""
        if self._on_event is not None:
            self._on_event(event)

    def __repr__(self) -> str:
        return f"Context(id={self.id!r}, function={self.function!r}, attempt={self.attempt})"


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_MOST <= value <= _MOST  # neither is NaN
