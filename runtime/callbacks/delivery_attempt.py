"""The outcome of one attempt at a delivery: for the log, the history and the retry schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

UNREACHABLE = "the receiver could not be reached"
_QUICK_MS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOutcome:
    """An attempt that has ended.

    Attributes:
        duration_ms: How long the attempt took.
        status_code: The receiver's HTTP status, or None without a response.
        error: A short text for the caller; None on success.
        reason: The exact cause, for the operator's log only.
        retry_after: The receiver's Retry-After header.
        kept_waiting: Whether one of our time limits ended it.
        fate: "interrupted" if this process stopped it, so it is due again at once; "hopeless" if no
            further attempt can succeed; else "usual".
    """

    duration_ms: int
    status_code: int | None = None
    error: str | None = None
    reason: str = ""
    retry_after: str | None = None
    kept_waiting: bool = False
    fate: Literal["usual", "interrupted", "hopeless"] = "usual"

    @property
    def is_success(self) -> bool:
        """Whether the receiver answered 2xx."""
        return self.status_code is not None and 200 <= self.status_code < 300  # noqa: PLR2004

    @property
    def pace(self) -> Literal["quick", "steady", "slow"]:
        """How it changes the receiver's share of the sender's slots."""
        if self.kept_waiting:
            return "slow"
        return "quick" if self.is_success and self.duration_ms < _QUICK_MS else "steady"

    def entry(self, at_ms: int) -> bytes:
        """Return the attempt as JSON for the delivery's history; `at_ms` is ms since the epoch."""
        return msgspec.json.encode(
            {
                "at": at_ms,
                "duration_ms": self.duration_ms,
                "status_code": self.status_code,
                "error": self.error,
            }
        )
