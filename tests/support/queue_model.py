"""What the model of a queue knows, which test_against_a_model compares with Redis."""

from __future__ import annotations

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
