"""Typed commands for callback deliveries.

`runtime.callbacks` claims and settles them; the gateway lists, reads and redelivers them. A
delivery's attempts are JSON lines `{at, duration_ms, status_code, error}`; `at` is in ms since the
epoch by Redis's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command, call_script
from runtime.telemetry.trace_context import TraceContext

STATUSES = ("pending", "delivered", "failed", "stopped")
BATCH_OUTCOME = "finished"  # of a batch; the outcome of an invocation is its status
RECORD_KEPT_MS = 4 * 24 * 3_600_000

NextStatus = Literal["delivered", "failed", "stopped", "pending"]
Pace = Literal["quick", "steady", "slow"]
Settled = Literal["OK", "LOST"]
Redelivered = Literal["OK", "MISSING", "GONE"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedDelivery:
    """One attempt whose lease this sender holds; `attempt` is its fencing token.

    `step` is the attempt's place in the retry schedule: it starts again when an operator
    redelivers, `attempt` does not. `secrets` are the caller's own callback secrets, if it has any;
    they are never shown.
    """

    id: str
    invocation: str
    function: str
    outcome: str
    url: str
    attempt: int
    step: int
    trace: TraceContext | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def host(self) -> str:
        """The receiver's host and port, for logs: a path may hold secrets."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryClaim:
    """The result of a claim: Redis's time, when there may be more, and what to send."""

    now_ms: int
    wait_ms: int | None
    items: tuple[ClaimedDelivery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery as stored; `attempts` are JSON objects, oldest first.

    Attributes:
        cause: The invocation or batch whose end it reports.
    """

    id: str
    cause: str
    is_of_batch: bool
    url: str
    status: str
    next_at_ms: int | None
    attempts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDelivery:
    """One entry of a list: the delivery, and its creation time, for the next page."""

    delivery: Delivery
    created_at_ms: int


def claim(*, free: int, limit: int, lease_ms: int, most_steps: int) -> Command[DeliveryClaim]:
    """Take up to `limit` due deliveries into `free` slots; receivers take turns."""
    return call_script("claim_deliveries", (free, limit, lease_ms, most_steps), _read_claim)


def settle(
    *,
    delivery_id: str,
    attempt: int,
    next_status: NextStatus,
    retry_in_ms: int,
    pace: Pace,
    entry: bytes,
) -> Command[Settled]:
    """Store how an attempt ended; LOST if its lease was taken over."""
    words = (delivery_id, attempt, next_status, retry_in_ms, pace, entry)
    return call_script("settle_delivery", words, lambda reply: reply.decode())


def redeliver(delivery_id: str) -> Command[Redelivered]:
    """Send a delivery at once; GONE if its invocation is no longer kept."""
    return call_script("redeliver", (delivery_id, RECORD_KEPT_MS), lambda reply: reply.decode())


def read(delivery_id: str) -> Command[Delivery | None]:
    """Read a delivery; None if there is no such id."""

    def parse(reply: list[bytes]) -> Delivery | None:
        return _read_delivery(delivery_id, reply) if reply else None

    return call_script("read_delivery", (delivery_id,), parse)


def list_page(
    *, statuses: Sequence[str], limit: int, before: tuple[int, str] | None
) -> Command[list[ListedDelivery]]:
    """Read up to `limit` deliveries, newest first, that come after `before` (created, id)."""
    before_at, before_id = ("", "") if before is None else before
    return call_script(
        "list_deliveries",
        (limit, before_at, before_id, *statuses),
        lambda reply: [
            ListedDelivery(
                delivery=_read_delivery(entry[0].decode(), entry[2:]), created_at_ms=entry[1]
            )
            for entry in reply
        ],
    )


def wake_one(keys: Keys) -> Command[int]:
    """Pass a wake-up token on to another sender."""
    return Command(("RPUSH", keys.build("delivery_wake"), "1"), int)


def await_wake(keys: Keys, *, timeout_s: float) -> Command[bool]:
    """Block the connection until a wake-up token comes or `timeout_s` is over."""
    words = ("BLPOP", keys.build("delivery_wake"), f"{timeout_s:.3f}")
    return Command(words, lambda reply: reply is not None)


def _read_claim(reply: list[Any]) -> DeliveryClaim:
    return DeliveryClaim(
        now_ms=reply[0],
        wait_ms=None if reply[1] < 0 else reply[1],
        items=tuple(
            ClaimedDelivery(
                id=entry[0].decode(),
                invocation=entry[1].decode(),
                function=entry[2].decode(),
                outcome=entry[3].decode(),
                url=entry[4].decode(),
                attempt=entry[5],
                step=entry[6],
                trace=TraceContext(entry[7].decode(), entry[8].decode()) if entry[7] else None,
                secrets=tuple(entry[9].decode().split()),
            )
            for entry in reply[2:]
        ),
    )


def _read_delivery(delivery_id: str, reply: Sequence[bytes]) -> Delivery:
    return Delivery(
        id=delivery_id,
        cause=reply[0].decode(),
        is_of_batch=reply[1].decode() == BATCH_OUTCOME,
        url=reply[2].decode(),
        status=reply[3].decode(),
        next_at_ms=int(reply[4]) if reply[4] else None,
        attempts=tuple(reply[5:]),
    )
