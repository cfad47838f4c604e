"""How a function ends on purpose: raise Retry or Reject.

The runner turns them into the invocation's next status; every other exception
that escapes a function is a failure.
"""

from __future__ import annotations

from runtime.sdk.durations import parse_duration


class Retry(Exception):  # noqa: N818 - it reads as what it orders: raise Retry(after="5m")
    """Try this invocation again, `after` seconds (or "30s", "5m") from now.

    Without `after` the function's retry policy chooses the delay.
    """

    def __init__(self, message: str = "", *, after: float | str | None = None) -> None:
        super().__init__(message or "the function asked to be tried again")
        self.after_s = None if after is None else parse_duration(after)


class Reject(Exception):  # noqa: N818 - it reads as what it orders: raise Reject("why")
    """End this invocation as failed, for good: trying again would not help."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why or "the function rejected its arguments")
