"""How a function ends on purpose: raise Retry or Reject.

The runner turns them into the invocation's next status; every other exception
that escapes a function is a failure.
"""

from __future__ import annotations

from datetime import timedelta

from runtime.sdk.durations import parse_duration


class Retry(Exception):  # noqa: N818 - it reads as what it orders: raise Retry(after="5m")
    """Try this invocation again, `after` seconds (or "30s", "5m", a timedelta) from now.

    Without `after` the function's retry policy chooses the delay. A class of your own may be
    derived from it; it need not call this `__init__`, and may set `after_s` itself.
    """

    after_s: float | str | timedelta | None = None

    def __init__(self, message: str = "", *, after: float | str | timedelta | None = None) -> None:
        super().__init__(message or "the function asked to be tried again")
        if after is not None:
            self.after_s = parse_duration(after)


class Reject(Exception):  # noqa: N818 - it reads as what it orders: raise Reject("why")
    """End this invocation as failed, for good: trying again would not help."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why or "the function rejected its arguments")
