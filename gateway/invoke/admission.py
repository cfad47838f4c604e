"""Whether a call is let in: the caller's pace and the room there is, told in headers.

Judged in Redis, in the script that makes the invocation; here only the words. The
`RateLimit` fields are those of draft-ietf-httpapi-ratelimit-headers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gateway.auth.caller import address_of, caller_of
from gateway.auth.key_cache import unauthenticated
from gateway.problems import ProblemError
from gateway.startup_checks import read_caller_rate
from runtime.sdk.options import Rate
from runtime.settings import Settings
from runtime.store.submission_commands import Pace, Submitted

_POLICY = "default"


class Admission:
    """The limits of this gateway.

    Attributes:
        max_waiting: How many of a function may wait that has no limit of its own; 0: any.
    """

    def __init__(self, rate: Rate | None, *, max_waiting: int) -> None:
        self.max_waiting = max_waiting
        self._rate = rate

    def pace(self, scope: Mapping[str, Any]) -> Pace | None:
        """Return how fast the caller of a request may call; None is as fast as he can.

        All keys of a name are one caller; who shows no key is known by his address.
        """
        caller = caller_of(scope)
        rate = caller.rate or self._rate
        if rate is None:
            return None
        name = f"key:{caller.name}" if caller.name else address_of(scope)
        return Pace(caller=name, count=rate.count, per_ms=math.ceil(rate.per_s * 1000))

    def headers(self, submitted: Submitted, pace: Pace | None) -> dict[str, str]:
        """Return what tells a caller how many calls are left; none where none are counted."""
        if submitted.calls_left is None or pace is None:
            return {}
        reset_s = math.ceil(submitted.reset_ms / 1000)
        return {
            "RateLimit-Policy": f'"{_POLICY}";q={pace.count};w={math.ceil(pace.per_ms / 1000)}',
            "RateLimit": f'"{_POLICY}";r={submitted.calls_left};t={reset_s}',
        }

    def refusal(
        self, submitted: Submitted, function: str, pace: Pace | None = None
    ) -> ProblemError | None:
        """Return the problem of a submission that was not taken, None of one that was."""
        reception = submitted.reception
        if reception == "REVOKED":
            return unauthenticated("This API key is not known, or not any more.")
        if reception == "LIMITED":
            wait_s = max(1, math.ceil(submitted.retry_after_ms / 1000))
            return ProblemError(
                "rate_limited",
                f"This gateway takes {_limit(pace)} from this caller; come again in {wait_s} s.",
                headers={"Retry-After": str(wait_s), **self.headers(submitted, pace)},
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


def read_admission(settings: Settings) -> Admission:
    """Return the limits an operator has set.

    Raises:
        SettingsError: The rate cannot be understood.
    """
    return Admission(read_caller_rate(settings), max_waiting=settings.max_waiting)


def _limit(pace: Pace | None) -> str:
    return f"{pace.count} calls in {pace.per_ms / 1000:g} s" if pace else "calls"
