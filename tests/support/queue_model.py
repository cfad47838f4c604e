"""What the model of a queue knows, which test_against_a_model compares with Redis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtime.invocations.status import Status
from runtime.store.invocation_commands import Claimed

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


def room_for(model: Mapping[str, Expected], rooms: Mapping[str, int]) -> dict[str, int]:
    """Return how many of each function may start, by its limit and by its worker's room for it."""
    running = Counter(e.function for e in model.values() if e.status == Status.RUNNING)
    queued = Counter(e.function for e in model.values() if e.status == Status.QUEUED)
    limits = {name: max(0, CONCURRENCY.get(name, 10**9) - running[name]) for name in FUNCTIONS}
    return {
        name: 0 if rooms.get(name) == 0 else min(queued[name], limits[name]) for name in FUNCTIONS
    }


def kept_back(model: Mapping[str, Expected], *, behind: Sequence[Claimed]) -> int:
    """Return how many at most are kept from going ahead: of those lost before all but one."""
    taken = {item.id for item in behind}
    lost = sum(
        expected.losses > 0
        for invocation_id, expected in model.items()
        if expected.status == Status.QUEUED and invocation_id not in taken
    )
    return max(0, lost - 1)
