"""What the model of a queue knows, which test_against_a_model compares with Redis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtime.invocations.statuses import Status
from runtime.store.invocation_calls import Claimed

FUNCTIONS = ("free", "narrow")
CONCURRENCY = {"narrow": 2}
WAITING = {Status.QUEUED, Status.SCHEDULED, Status.RETRYING}


@dataclass
class Expected:
    """What the model knows of one invocation."""

    function: str
    status: Status
    attempt: int = 0
    losses: int = 0
    unheard: int = 0
    is_cancelling: bool = False
    claimed: Claimed | None = None


def go_ahead(model: Mapping[str, Expected], *, behind: Sequence[Claimed]) -> int:
    """Return how many may be taken ahead: of those that were lost before one at a time."""
    taken = {item.id for item in behind}
    waiting = [
        expected
        for invocation_id, expected in model.items()
        if expected.status == Status.QUEUED
        and expected.function == "free"
        and invocation_id not in taken
    ]
    lost = sum(expected.losses > 0 for expected in waiting)
    return len(waiting) - max(0, lost - 1)
