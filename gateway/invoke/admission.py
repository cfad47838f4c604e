"""Whether a call is admitted: the caller's rate limit and the number of waiting invocations.

The script that creates the invocation checks both in Redis. This module gives it the limits, and
turns its answer into headers and problems. The `RateLimit` fields are those of
draft-ietf-httpapi-ratelimit-headers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gateway.auth.caller import CALLER, Caller, address_of
from gateway.auth.key_check import unauthenticated
from gateway.problems import ProblemError
from gateway.startup_checks import read_caller_rate
from runtime.sdk.options import Rate
from runtime.settings import Settings
from runtime.store.submission_commands import Pace, Submitted

_POLICY = "default"


class Admission:
    """The limits of this gateway.

    Attributes:
        max_waiting: How many invocations of a function may wait if it sets no limit; 0: any.
    """

    def __init__(self, rate: Rate | None, *, max_waiting: int) -> None:
        self.max_waiting = max_waiting
        self._rate = rate

    def pace(self, scope: Mapping[str, Any]) -> Pace | None:
        """Return the rate limit for the caller of a request; None for no limit.

        All keys with one name are one caller; a caller without a key is known by their address.
        """
        caller: Caller = scope[CALLER]
        rate = caller.rate or self._rate
        if rate is None:
            return None
        name = f"key:{caller.name}" if caller.name else address_of(scope)
        return Pace(caller=name, count=rate.count, per_ms=math.ceil(rate.per_s * 1000))

    def headers(self, submitted: Submitted, pace: Pace | None) -> dict[str, str]:
        """Return the RateLimit headers; none if the calls of this caller are not limited."""
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
        """Return the problem of a refused submission; None if it was accepted or repeated."""
        reception = submitted.reception
        if reception == "REVOKED":
            return unauthenticated("This API key is unknown, revoked or expired.")
        if reception == "LIMITED":
            wait_s = max(1, math.ceil(submitted.retry_after_ms / 1000))
            return ProblemError(
                "rate_limited",
                f"The caller is over the rate limit{_limit(pace)}; retry in {wait_s} s.",
                headers={"Retry-After": str(wait_s), **self.headers(submitted, pace)},
            )
        if reception == "FULL":
            return ProblemError(
                "queue_full",
                f"{submitted.waiting} invocations of {function} are waiting already.",
            )
        if reception == "CONFLICT":
            return ProblemError(
                "idempotency_key_reused",
                f"This idempotency key was used for a different call of {function}; use a new key.",
            )
        if reception == "INCOMPLETE":
            return ProblemError("store_unavailable", "Redis lost part of the batch; send it again.")
        return None


def read_admission(settings: Settings) -> Admission:
    """Return the limits from the settings.

    Raises:
        SettingsError: The rate limit is malformed.
    """
    return Admission(read_caller_rate(settings), max_waiting=settings.max_waiting)


def _limit(pace: Pace | None) -> str:
    return f" of {pace.count} calls in {pace.per_ms / 1000:g} s" if pace else ""
