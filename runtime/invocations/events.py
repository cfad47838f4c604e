"""The events of an invocation in one order, built from its record and what its attempts reported.

Every event has an id: (attempt, phase, number). Status events come from the record, all others from
the entries that attempts wrote (`runtime.store.event_commands`). So a client that names its last
event gets exactly the events that follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import msgspec

from runtime.invocations.record import Record, record_from_hash
from runtime.invocations.status import Status
from runtime.invocations.view import invocation_json, moment
from runtime.store.event_commands import Entry, EventPage, Position

LARGEST_RESULT_BYTES = 20_000
_SHAPE = re.compile(r"(\d{1,9})\.([0-4])\.(\d{1,15})", re.ASCII)
_LAST_NUMBER = 10**15


class Phase(IntEnum):
    """The phases of an attempt; attempt 0 is the time before the first."""

    BEGINS = 0
    EVENTS = 1
    LEAVES = 2
    FINISHED = 3
    END = 4


class EventId(NamedTuple):
    """The position of an event among those of its invocation; its text is the event's id."""

    attempt: int
    phase: int
    number: int

    def __str__(self) -> str:
        return f"{self.attempt}.{self.phase}.{self.number}"

    @property
    def read_position(self) -> Position:
        """The position up to which entries of attempts come before this id."""
        if self.phase < Phase.EVENTS:
            return max(self.attempt, 0), 0
        return self.attempt, self.number if self.phase == Phase.EVENTS else _LAST_NUMBER


NOWHERE = EventId(-1, 0, 0)


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `data` is JSON."""

    place: EventId
    name: str
    data: bytes


def parse_place(text: str) -> EventId | None:
    """Parse an event id; None if the text is not one."""
    match = _SHAPE.fullmatch(text)
    return EventId(*map(int, match.groups())) if match else None


def count_events(kind: str, data: bytes) -> int:
    """Return how many events an entry holds: the lines of a log, the items, or one."""
    if kind == "log":
        return data.count(b"\n") + (not data.endswith(b"\n"))
    return data.count(b"\n") + 1 if kind == "item" else 1


def standing(invocation_id: str, reported: EventPage) -> Record | None:
    """Return the invocation's state: a record without its long fields."""
    return record_from_hash(invocation_id, reported.record) if reported.record else None


def is_whole(reported: EventPage, after: EventId) -> bool:
    """Whether what was read after an id is all that is stored."""
    read = reported.entries[-1] if reported.entries else None
    until = (read[0], read[1].number) if read else after.read_position
    return until >= reported.last


def events_after(
    place: EventId, standing: Record, reported: EventPage, whole: Record | None
) -> list[Event]:
    """Return the events after an id, in order, as far as they were read.

    Args:
        place: The id of the last event known.
        standing: The invocation's state, read together with `reported`.
        reported: What was read after the id.
        whole: The finished invocation with all its fields; None while it is unfinished, or
            while not all entries have been read.
    """
    events = [*_statuses(standing), *_entries(reported)]
    if whole is not None:
        if reported.last[0] == 0 and whole.attempt == 1:  # see `runtime.worker.event_buffer`
            events += _lines(whole.attempt, whole.logs)
        events.append(_end(whole))
    if not is_whole(reported, place):
        attempt, entry = reported.entries[-1]
        reached = EventId(attempt, Phase.EVENTS, entry.number)
        events = [event for event in events if event.place <= reached]
    return sorted((e for e in events if e.place > place), key=lambda event: event.place)


def count_missing(place: EventId, events: list[Event]) -> int:
    """Return how many events between an id and these events are no longer kept."""
    missing = 0
    for event in events:
        if event.place.phase == Phase.EVENTS:
            same = place.attempt == event.place.attempt and place.phase == Phase.EVENTS
            missing += event.place.number - (place.number if same else 0) - 1
        place = event.place
    return missing


def _statuses(record: Record) -> Iterator[Event]:
    first = Status.SCHEDULED if record.scheduled_for_ms else Status.QUEUED
    yield _status(EventId(0, Phase.BEGINS, 0), first, record.created_at_ms)
    is_due = record.attempt or not (record.is_finished or record.status is Status.SCHEDULED)
    if record.scheduled_for_ms and is_due:
        yield _status(EventId(0, Phase.LEAVES, 0), Status.QUEUED, record.scheduled_for_ms)
    left = 0
    for entry in msgspec.json.decode(b"[%b]" % record.earlier_attempts):
        left = entry["attempt"]
        after = Status.RETRYING if entry["outcome"] == Status.RETRYING else Status.QUEUED
        yield _running(left, entry["started_at_ms"], entry["worker"])
        place = EventId(left, Phase.LEAVES, 0)
        yield _status(place, after, entry["finished_at_ms"], error=entry["error"])
    if record.attempt > left and record.started_at_ms is not None:
        yield _running(record.attempt, record.started_at_ms, record.worker)
    if record.is_finished:
        error = msgspec.Raw(record.error) if record.error else None
        place = EventId(record.attempt, Phase.FINISHED, 0)
        yield _status(place, record.status, record.finished_at_ms, error=error)


def _running(attempt: int, at_ms: int, worker: str | None) -> Event:
    place = EventId(attempt, Phase.BEGINS, 0)
    return _status(place, Status.RUNNING, at_ms, worker=worker)


def _status(place: EventId, status: Status, at_ms: int | None, **more: Any) -> Event:  # noqa: ANN401
    reported = {"status": status.value, "attempt": place.attempt, "at": moment(at_ms)}
    reported |= {name: value for name, value in more.items() if value is not None}
    return Event(place, "status", msgspec.json.encode(reported))


def _end(record: Record) -> Event:
    data = invocation_json(record, largest_result_bytes=LARGEST_RESULT_BYTES)
    return Event(EventId(record.attempt, Phase.END, 0), "end", data)


def _entries(reported: EventPage) -> Iterator[Event]:
    for attempt, entry in reported.entries:
        first = entry.number - count_events(entry.kind, entry.data) + 1
        if entry.kind == "log":
            yield from _lines(attempt, entry.data, first=first)
            continue
        for number, data in enumerate(_parts(entry), first):
            yield Event(EventId(attempt, Phase.EVENTS, number), entry.kind, data)


def _parts(entry: Entry) -> list[bytes]:
    return entry.data.split(b"\n") if entry.kind == "item" else [entry.data]


def _lines(attempt: int, text: bytes, *, first: int = 1) -> Iterator[Event]:
    """Yield an event for each line of output: a JSON string, with the line's end."""
    for number, line in enumerate(filter(None, re.split(rb"(?<=\n)", text)), first):
        data = msgspec.json.encode(line.decode(errors="replace"))
        yield Event(EventId(attempt, Phase.EVENTS, number), "log", data)
