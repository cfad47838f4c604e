"""What a running attempt tells, as typed calls: written by its worker, read by gateways.

An entry holds one or more events of a kind; its number is that of the last of them,
and counts the events of its attempt from 1. `runtime.invocations.events` tells the
events apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from runtime.store.scripts import Argument, Command, load_script

MOST_BYTES = 4 * 1024 * 1024
MOST_BYTES_READ = 64 * 1024
EVENTS_TTL_MS = 7 * 24 * 3_600_000
FROM_THE_BEGINNING = (0, 0)

Position = tuple[int, int]  # an attempt and a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What an attempt tells at once: log lines, a progress, items or an event."""

    number: int
    kind: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Where an invocation stands, and some of what it has told.

    Attributes:
        record: As HGETALL gives it, but without what is long; empty: no such id.
        last: Where the last entry stands that there is now, (0, 0) without one.
        entries: In order, each with its attempt.
    """

    record: list[bytes]
    last: Position
    entries: tuple[tuple[int, Entry], ...]


def append_events(
    invocation_id: str,
    token: int,
    entries: Iterable[Entry],
    *,
    worker: str,
    most_bytes: int = MOST_BYTES,
) -> Command[bool]:
    """Add entries; False when the attempt has lost its lease. May be sent again.

    Args:
        invocation_id: Whose.
        token: The attempt's fencing token.
        worker: The worker that holds it.
        entries: In the order of their numbers.
        most_bytes: What is kept of an invocation; the oldest entries go.
    """
    words: tuple[Argument, ...] = (
        *(invocation_id, token, worker, most_bytes, EVENTS_TTL_MS),
        *(part for entry in entries for part in (entry.number, entry.kind, entry.data)),
    )
    return Command(words, lambda reply: reply == b"DONE", load_script("append_events"))


def read_events(
    invocation_id: str,
    *,
    after: Position = FROM_THE_BEGINNING,
    most_bytes: int = MOST_BYTES_READ,
    gateway: str = "",
) -> Command[EventPage]:
    """Read what was told after `after`; `gateway` is poked on its inbox when there is more."""
    words = (invocation_id, gateway, f"{after[0]}-{after[1]}", most_bytes)
    return Command(words, _read_page, load_script("read_events"))


def _read_page(reply: list[Any]) -> EventPage:
    entries = []
    for entry_id, kind, data in reply[2:]:
        attempt, number = _position(entry_id)
        entries.append((attempt, Entry(number=number, kind=kind.decode(), data=data)))
    return EventPage(record=reply[0], last=_position(reply[1]), entries=tuple(entries))


def _position(entry_id: bytes) -> Position:
    attempt, _, number = entry_id.partition(b"-")
    return int(attempt or 0), int(number or 0)
