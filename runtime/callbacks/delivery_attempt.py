"""How one attempt at a delivery ended: what the log keeps and the timetable judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

CONNECT_S = 5.0
TOTAL_S = 15.0
UNREACHABLE = "the receiver could not be reached"
_QUICK_MS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOutcome:
    """An attempt that is over.

    Attributes:
        status_code: What the receiver answered, or None without an answer.
        error: One text for the caller, None on success.
        reason: What exactly went wrong, for the operator's log only.
        retry_after: The receiver's Retry-After header.
        kept_waiting: Whether a time limit of ours ended it.
        fate: "interrupted" by our own stopping, so due again at once; "hopeless" when
            no further attempt can succeed; else "usual".
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
        """Whether the receiver took it."""
        return self.status_code is not None and 200 <= self.status_code < 300  # noqa: PLR2004

    @property
    def pace(self) -> Literal["quick", "steady", "slow"]:
        """How it bears on the receiver's share of the sender."""
        if self.kept_waiting:
            return "slow"
        return "quick" if self.is_success and self.duration_ms < _QUICK_MS else "steady"

    def entry(self, at_ms: int) -> bytes:
        """Return the attempt as the delivery's history keeps it."""
        return msgspec.json.encode(
            {
                "at": at_ms,
                "duration_ms": self.duration_ms,
                "status_code": self.status_code,
                "error": self.error,
            }
        )
