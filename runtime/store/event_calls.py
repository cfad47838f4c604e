"""What a running attempt tells, as typed calls: written by its worker, read by gateways."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from runtime.store.scripts import Argument, Call, load_script

MOST_EVENTS = 10_000
EVENTS_TTL_MS = 7 * 24 * 3_600_000
FROM_THE_BEGINNING = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEvent:
    """One entry: its id in the stream, the attempt it is of, its kind and its data."""

    id: str
    attempt: int
    kind: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A record as HGETALL gives it (empty: no such id) and some events."""

    record: list[bytes]
    events: tuple[RawEvent, ...]


def append_events(
    invocation_id: str, token: int, entries: Iterable[tuple[str, bytes]]
) -> Call[bool]:
    """Add (kind, data) entries; False when the attempt has lost its lease."""
    words: tuple[Argument, ...] = (
        *(invocation_id, token, MOST_EVENTS, EVENTS_TTL_MS),
        *(part for entry in entries for part in entry),
    )
    return Call(words, lambda reply: reply == b"DONE", load_script("append_events"))


def read_events(
    invocation_id: str, *, after: str = FROM_THE_BEGINNING, most: int = 500, gateway: str = ""
) -> Call[Told]:
    """Read what was told after `after`; `gateway` is poked on its inbox when there is more."""
    words = (invocation_id, gateway, after, most)
    return Call(words, _read_told, load_script("read_events"))


def _read_told(reply: list[Any]) -> Told:
    events = []
    for entry_id, flat in reply[1]:
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        events.append(
            RawEvent(
                id=entry_id.decode(),
                attempt=int(fields[b"a"]),
                kind=fields[b"k"].decode(),
                data=fields[b"d"],
            )
        )
    return Told(record=reply[0], events=tuple(events))
