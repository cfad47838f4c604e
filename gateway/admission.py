"""Whether a call is let in: the caller's pace and the room there is, told in headers.

Judged in Redis, in the script that makes the invocation; here only the words. The
`RateLimit` fields are those of draft-ietf-httpapi-ratelimit-headers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gateway.callers import address_of
from gateway.problems import ProblemError
from runtime.errors import SettingsError
from runtime.sdk.option_parsing import parse_rate
from runtime.sdk.options import Rate
from runtime.settings import Settings
from runtime.store.submission_calls import Pace, Submitted

_POLICY = "default"


class Admission:
    """The limits of this gateway.

    Attributes:
        max_waiting: How many of a function may wait that has no limit of its own; 0: any.
    """

    def __init__(self, rate: Rate | None, *, max_waiting: int) -> None:
        self.max_waiting = max_waiting
        self._rate = rate
        self._policy = ""
        if rate is not None:
            self._policy = f'"{_POLICY}";q={rate.count};w={math.ceil(rate.per_s)}'

    def pace(self, scope: Mapping[str, Any]) -> Pace | None:
        """Return how fast the caller of a request may call; None is as fast as he can."""
        rate = self._rate
        if rate is None:
            return None
        return Pace(caller=address_of(scope), count=rate.count, per_ms=math.ceil(rate.per_s * 1000))

    def headers(self, submitted: Submitted) -> dict[str, str]:
        """Return what tells a caller how many calls are left; none where none are counted."""
        if submitted.calls_left is None:
            return {}
        reset_s = math.ceil(submitted.reset_ms / 1000)
        return {
            "RateLimit-Policy": self._policy,
            "RateLimit": f'"{_POLICY}";r={submitted.calls_left};t={reset_s}',
        }

    def refusal(self, submitted: Submitted, function: str) -> ProblemError | None:
        """Return the problem of a submission that was not taken, None of one that was."""
        reception = submitted.reception
        if reception == "LIMITED":
            wait_s = max(1, math.ceil(submitted.retry_after_ms / 1000))
            return ProblemError(
                "rate_limited",
                f"This gateway takes {self._limit()} from one caller; come again in {wait_s} s.",
                headers={"Retry-After": str(wait_s), **self.headers(submitted)},
            )
        if reception == "FULL":
            return ProblemError(
                "queue_full", f"{submitted.waiting} calls of {function} wait already."
            )
        if reception == "CONFLICT":
            return ProblemError(
                "idempotency_key_reused",
                f"It was used for another call of {function}; choose a new one.",
            )
        if reception == "INCOMPLETE":
            return ProblemError("store_unavailable", "Redis lost a part of the batch.")
        return None

    def _limit(self) -> str:
        rate = self._rate
        return f"{rate.count} calls in {rate.per_s:g} s" if rate else "calls"


def read_admission(settings: Settings) -> Admission:
    """Return the limits an operator has set.

    Raises:
        SettingsError: The rate cannot be understood.
    """
    rate = None
    if settings.caller_rate:
        try:
            rate = parse_rate(settings.caller_rate)
        except ValueError as error:
            raise SettingsError(
                f"PENSTOCK_CALLER_RATE: {error} (got {settings.caller_rate!r})"
            ) from error
    return Admission(rate, max_waiting=settings.max_waiting)
