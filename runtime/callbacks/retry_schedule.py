"""When a delivery is tried again, and when it is given up, as Standard Webhooks recommends.

Pure functions: the random number and the time are arguments. The deliverer calls them after every
attempt (https://github.com/standard-webhooks/standard-webhooks, "Retry schedule").
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

from runtime.callbacks.delivery_attempt import DeliveryOutcome

S = 1_000
M = 60 * S
H = 60 * M
DELAYS_MS = (5 * S, 5 * M, 30 * M, 2 * H, 5 * H, 10 * H, 14 * H, 20 * H, 24 * H)
MOST_STEPS = len(DELAYS_MS) + 1
JITTER = 0.1
LONGEST_RETRY_AFTER_MS = 24 * H
_GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """The delivery's status after an attempt and, if pending, the wait until the next."""

    status: Literal["delivered", "failed", "stopped", "pending"]
    retry_in_ms: int = 0


def next_after(
    ended: DeliveryOutcome,
    *,
    step: int,
    now_ms: int,
    roll: float,
    delays_ms: tuple[int, ...] = DELAYS_MS,
) -> NextStep:
    """Return what follows an attempt.

    Args:
        ended: The outcome of the attempt.
        step: Its number in the retry schedule; the first is 1.
        now_ms: The time by Redis's clock, for a Retry-After that is a date.
        roll: A random number in [0, 1).
        delays_ms: The waits between attempts.
    """
    if ended.is_success:
        return NextStep(status="delivered")
    if ended.status_code == _GONE:
        return NextStep(status="stopped")
    if step > len(delays_ms) or ended.fate == "hopeless":
        return NextStep(status="failed")
    if ended.fate == "interrupted":
        return NextStep(status="pending")
    delay_ms = round(delays_ms[step - 1] * (1 + JITTER * roll))
    asked_ms = retry_after_ms(ended.retry_after, now_ms=now_ms)
    if asked_ms is not None:
        delay_ms = max(delay_ms, min(asked_ms, LONGEST_RETRY_AFTER_MS))
    return NextStep(status="pending", retry_in_ms=delay_ms)


def retry_after_ms(text: str | None, *, now_ms: int) -> int | None:
    """Parse a Retry-After header: seconds or an HTTP date; None if it is neither."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]) * S, LONGEST_RETRY_AFTER_MS)
    try:
        moment = parsedate_to_datetime(text)
        return max(0, round(moment.timestamp() * S) - now_ms)
    except (ValueError, OverflowError, TypeError):
        return None
