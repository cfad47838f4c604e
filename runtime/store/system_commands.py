"""What queues and workers look like now, as typed calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runtime.store.invocation_commands import FAILURE_TTL_MS
from runtime.store.scripts import Command, load_script


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """One queue: `oldest_ms` is the age of the oldest that waits, None when none does."""

    name: str
    is_paused: bool
    waiting: int
    scheduled: int
    running: int
    oldest_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """One worker; `details` is the JSON of its last heartbeat, moments are ms since the epoch."""

    id: str
    details: bytes
    started_at_ms: int
    last_seen_at_ms: int


def read_queues() -> Command[list[QueueState]]:
    """Read the state of every queue, in order of their names."""
    return Command((), queue_states, load_script("read_queues"))


def queue_states(reply: list[Any]) -> list[QueueState]:
    """Read what include/queue_state.lua returns."""
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
    """Read every worker that has been heard of lately, oldest heartbeat first."""
    return Command(
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
        load_script("read_workers"),
    )


def appoint_publisher(
    worker: str, *, withdraw_missing: bool, lease_ms: int = 10_000
) -> Command[bool]:
    """Tell a worker to publish its functions folder; False when there is no such worker.

    With `withdraw_missing`, what is published and not in that folder is withdrawn.
    """
    order = "publish withdraw_missing" if withdraw_missing else "publish"
    return Command(
        (worker, order, lease_ms), lambda reply: reply == b"OK", load_script("appoint_publisher")
    )


def pause_queue(queue: str, *, is_paused: bool) -> Command[bool]:
    """Let nothing of a queue start, or let it go on; False when there is no such queue."""
    words = (queue, "1" if is_paused else "0")
    return Command(words, lambda reply: reply == b"OK", load_script("pause_queue"))


def purge_queue(queue: str, *, most: int = 200) -> Command[int]:
    """Cancel up to `most` of what waits in a queue; return how many that were."""
    return Command((queue, FAILURE_TTL_MS, most), int, load_script("purge_queue"))
