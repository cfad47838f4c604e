"""Typed commands for the state of queues and workers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.store.invocation_commands import FAILURE_TTL_MS
from runtime.store.redis_keys import Keys
from runtime.store.scripts import Argument, Command, call_script

MOST_ADOPTING = 200
_DRAMATIQ = "dramatiq"  # the namespace, by default, of dramatiq.brokers.redis.RedisBroker


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """One queue; `oldest_ms` is the age of the oldest waiting invocation, None if none waits."""

    name: str
    is_paused: bool
    waiting: int
    scheduled: int
    running: int
    oldest_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """One worker; `details` is the JSON of its last heartbeat, times are ms since the epoch."""

    id: str
    details: bytes
    started_at_ms: int
    last_seen_at_ms: int


def read_names(keys: Keys) -> tuple[Command[list[str]], Command[list[str]]]:
    """Read the names of all functions that have ever waited, and of all queues."""
    return (
        Command(("HKEYS", keys.build("waiting")), _texts),
        Command(("SMEMBERS", keys.build("queues")), _texts),
    )


def _texts(reply: list[bytes]) -> list[str]:
    """Return texts that encode to the same bytes again."""
    return [name.decode("utf-8", "surrogateescape") for name in reply]


def read_queues() -> Command[list[QueueState]]:
    """Read the state of every queue, sorted by name."""
    return call_script("read_queues", (), queue_states)


def queue_states(reply: list[Any]) -> list[QueueState]:
    """Parse what include/queue_state.lua returns."""
    states = (
        QueueState(
            name=name.decode(),
            is_paused=paused == 1,
            waiting=waiting,
            scheduled=scheduled,
            running=running,
            oldest_ms=None if oldest < 0 else oldest,
        )
        for name, paused, waiting, scheduled, running, oldest in reply
    )
    return sorted(states, key=lambda queue: queue.name)


def read_workers() -> Command[list[WorkerState]]:
    """Read every worker that has sent a heartbeat lately, oldest heartbeat first."""
    return call_script(
        "read_workers",
        (),
        lambda reply: [
            WorkerState(
                id=name.decode(),
                details=details,
                started_at_ms=int(started),
                last_seen_at_ms=int(seen),
            )
            for name, details, started, seen in reply
        ],
    )


def appoint_publisher(
    worker: str, *, withdraw_missing: bool, lease_ms: int = 10_000
) -> Command[bool]:
    """Order a worker to publish its functions folder; False if there is no such worker.

    With `withdraw_missing`, functions that are published and not in that folder are unpublished.
    """
    order = "publish withdraw_missing" if withdraw_missing else "publish"
    return call_script("appoint_publisher", (worker, order, lease_ms), lambda reply: reply == b"OK")


def order_workers(order: str) -> Command[int]:
    """Give every live worker an order (`worker.control`); return how many there are."""
    return call_script("order_workers", (order,), int)


def pause_queue(queue: str, *, is_paused: bool) -> Command[bool]:
    """Pause or resume a queue; False if there is no such queue."""
    words = (queue, "1" if is_paused else "0")
    return call_script("pause_queue", words, lambda reply: reply == b"OK")


def purge_queue(queue: str, *, most: int = 200) -> Command[int]:
    """Cancel up to `most` waiting invocations of a queue; return how many were."""
    return call_script("purge_queue", (queue, FAILURE_TTL_MS, most), int)


def count_stray_messages(queues: Sequence[str]) -> list[Command[int]]:
    """Return a command for each queue: how many messages of Dramatiq's own Redis broker are in it.

    A client that uses that broker with our Redis loses what it sends, without an error.
    """
    return [Command(("HLEN", f"{_DRAMATIQ}:{queue}.msgs"), int) for queue in queues]


def adopt_lanes(queue: str, functions: Sequence[str]) -> Command[int]:
    """Convert the turns of lanes that release 0.1 keeps; repeat until it returns 0.

    `functions` are at most `MOST_ADOPTING`.
    """
    return call_script("adopt_lanes", (queue, *functions), int)


def forget_queues(named: Iterable[str], *, functions: int) -> Command[list[str]]:
    """Remove the empty queues that are not `named` by the `functions` published ones.

    Returns the names of those that were removed.
    """
    words: tuple[Argument, ...] = (functions, *sorted(named))
    return call_script("forget_queues", words, lambda reply: [name.decode() for name in reply])
