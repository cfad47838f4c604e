"""Exceptions that a function raises to decide how its attempt ends: Retry and Reject.

Any other exception that leaves a function is a failure, and the function's retry policy applies.
"""

from __future__ import annotations

from datetime import timedelta

from runtime.sdk.durations import parse_duration


class Retry(Exception):  # noqa: N818 - reads as an instruction: raise Retry(after="5m")
    """Try this invocation again, `after` seconds (or "30s", "5m", a timedelta) from now.

    Without `after` the function's retry policy sets the delay. You can derive a class of your own;
    it need not call this `__init__`, and may set `after_s` itself.
    """

    after_s: float | str | timedelta | None = None

    def __init__(self, message: str = "", *, after: float | str | timedelta | None = None) -> None:
        super().__init__(message or "the function asked for a retry")
        if after is not None:
            self.after_s = parse_duration(after)


class Reject(Exception):  # noqa: N818 - reads as an instruction: raise Reject("why")
    """End this invocation as failed, without a retry."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why or "the function rejected its arguments")
