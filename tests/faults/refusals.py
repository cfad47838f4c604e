"""What callers were told while they were refused: truthfully, and soon."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.faults.calling import Answer, Refusal
from tests.faults.recovery import percentile


def refusals_of(reported: Iterable[Answer]) -> list[Refusal]:
    """Return every refusal of every call, in order."""
    return sorted((r for answer in reported for r in answer.refusals), key=lambda r: r.at_s)


def require_truthful(refusals: Sequence[Refusal], *, within_s: float = 1.5) -> str:
    """Fail unless all are 503 with Retry-After, soon; return the figures.

    A connection that broke is a refusal of the gateway's process, not of Redis: there is none.
    """
    statuses = Counter(r.status for r in refusals)
    took_s = sorted(r.took_s for r in refusals)
    p99_s = percentile(took_s, 0.99)
    assert set(statuses) == {503}, statuses
    assert all(r.retry_after and int(r.retry_after) >= 1 for r in refusals)
    assert p99_s <= within_s, f"p99 of refusals {p99_s:.2f} s"
    return f"{len(refusals):,} times 503, p99 {p99_s:.2f} s"


def resumed_after_s(reported: Sequence[Answer], back_at_s: float) -> float:
    """Return how long after a moment the first call was acknowledged."""
    after = [a.at_s + a.took_s for a in reported if a.id and a.at_s + a.took_s >= back_at_s]
    return min(after) - back_at_s if after else float("inf")
