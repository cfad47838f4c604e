"""Typed commands for the events of running attempts: written by workers, read by gateways.

An entry holds one or more events of one kind. Its number is that of its last event; the events of
an attempt are counted from 1. `runtime.invocations.events` splits entries into events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from runtime.store.scripts import Argument, Command, call_script

MOST_BYTES = 4 * 1024 * 1024
MOST_BYTES_READ = 64 * 1024
EVENTS_TTL_MS = 7 * 24 * 3_600_000
FROM_THE_BEGINNING = (0, 0)

Position = tuple[int, int]  # an attempt and a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What an attempt reports at once: log lines, progress, items or an event."""

    number: int
    kind: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """An invocation's state, and some of its events.

    Attributes:
        record: As HGETALL returns it, without long fields; empty if there is no such id.
        last: The position of the last entry that is stored; (0, 0) without one.
        entries: In order, each with the number of its attempt.
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
    """Store entries; False if the attempt has lost its lease. It may be sent again.

    Args:
        invocation_id: The invocation.
        token: The attempt's fencing token.
        worker: The worker that holds the lease.
        entries: In the order of their numbers.
        most_bytes: How much is kept of an invocation; the oldest entries are dropped.
    """
    words: tuple[Argument, ...] = (
        *(invocation_id, token, worker, most_bytes, EVENTS_TTL_MS),
        *(part for entry in entries for part in (entry.number, entry.kind, entry.data)),
    )
    return call_script("append_events", words, lambda reply: reply == b"DONE")


def read_events(
    invocation_id: str,
    *,
    after: Position = FROM_THE_BEGINNING,
    most_bytes: int = MOST_BYTES_READ,
    gateway: str = "",
) -> Command[EventPage]:
    """Read the events after `after`; `gateway` is notified on its inbox of later ones."""
    words = (invocation_id, gateway, f"{after[0]}-{after[1]}", most_bytes)
    return call_script("read_events", words, _read_page)


def _read_page(reply: list[Any]) -> EventPage:
    entries = []
    for entry_id, kind, data in reply[2:]:
        attempt, number = _position(entry_id)
        entries.append((attempt, Entry(number=number, kind=kind.decode(), data=data)))
    return EventPage(record=reply[0], last=_position(reply[1]), entries=tuple(entries))


def _position(entry_id: bytes) -> Position:
    attempt, _, number = entry_id.partition(b"-")
    return int(attempt or 0), int(number or 0)
