"""What the invocations of one function print, as lines: those of before, then those that come.

Lines are read from the events of single invocations, because nothing stores them by function. So a
reading looks at the newest invocations only: of those that have finished and of those that have
started, 100 each. A line has no time of its own. It gets that at which its attempt ended or, while
the attempt runs, that of the reading.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from runtime.invocations.events import (
    NOWHERE,
    Event,
    EventId,
    Phase,
    events_after,
    is_whole,
    standing,
)
from runtime.invocations.listing import Filters, list_invocations
from runtime.invocations.record import Record, read
from runtime.invocations.status import FINISHED, Status
from runtime.store.async_connection import AsyncConnection
from runtime.store.event_commands import read_events

_LISTED = 100
_MOST_BYTES = 1024 * 1024
_MOST_READS = 200  # of 64 KiB each: more than what is kept of an invocation
_MOST_FOLLOWED = 1_000
_MOST_ENDED = 10_000
_AFTER_ALL = (10**9, 0)
_STARTED = (Status.RUNNING, Status.RETRYING)


class LogLine(NamedTuple):
    """A line that an invocation printed; `text` is without the line's end."""

    invocation_id: str
    at_ms: int
    text: str


class FunctionLog:
    """Reads the lines of one function; `read_last` once, then `read_new` as often as wanted.

    Args:
        store: The connection to Redis.
        function: The function.
        clock: Returns the time, in ms since the epoch.
        instance: The id of the only invocation to read; "" for all.
        since_ms: Lines of before this time are left out.
    """

    def __init__(
        self,
        store: AsyncConnection,
        function: str,
        *,
        clock: Callable[[], int],
        instance: str = "",
        since_ms: int = 0,
    ) -> None:
        self._store = store
        self._function = function
        self._clock = clock
        self._instance = instance
        self._since_ms = since_ms
        self._places: dict[
            str, EventId
        ] = {}  # of unfinished invocations, up to where they are read
        self._ended: dict[str, None] = {}  # read to their end, oldest first
        self._oldest = ""

    async def read_last(self, most: int | None) -> list[LogLine]:
        """Return the last `most` lines of before, at most about 1 MiB; None for all.

        Raises:
            StoreError: Redis does not answer, or answers with an error.
        """
        found: list[list[LogLine]] = []
        count = size = 0
        records, self._oldest = await self._list()
        for record in records:  # newest first: what is older is not read once there is enough
            if size > _MOST_BYTES or (most is not None and count >= most):
                await self._skip(record)
                continue
            lines = await self._read(record.id)
            found.append(lines)
            count += len(lines)
            size += sum(len(line.text) for line in lines)
        joined = [line for lines in reversed(found) for line in lines]
        return joined if most is None else joined[max(0, len(joined) - most) :]

    async def read_new(self) -> list[LogLine]:
        """Return the lines that have come since the last reading.

        Raises:
            StoreError: Redis does not answer, or answers with an error.
        """
        records, _ = await self._list()
        listed = {record.id for record in records if record.id >= self._oldest}
        news = listed - self._ended.keys()
        lines: list[LogLine] = []
        for invocation_id in sorted(news | self._places.keys()):
            lines += await self._read(invocation_id)
        return lines

    async def _list(self) -> tuple[list[Record], str]:
        """Return the newest invocations that may have printed something, newest first.

        And the id of the oldest finished one that was looked at; "" if there are no older ones.
        """
        started, ended = await self._store.run_many(
            [
                list_invocations(Filters(function=self._function, statuses=wanted), most=_LISTED)
                for wanted in (_STARTED, tuple(FINISHED))
            ]
        )
        merged = heapq.merge(
            started.records, ended.records, key=lambda record: record.id, reverse=True
        )
        shown = [r for r in merged if r.attempt and self._instance in ("", r.id)]
        return shown, ended.next[0] if ended.next else ""

    async def _skip(self, record: Record) -> None:
        """Leave out what an invocation has printed so far."""
        if record.is_finished:
            self._end(record.id)
            return
        reported = await self._store.run(read_events(record.id, after=_AFTER_ALL))
        attempt, number = reported.last
        self._follow(record.id, EventId(attempt, Phase.EVENTS, number))

    async def _read(self, invocation_id: str) -> list[LogLine]:
        """Return the lines of an invocation that have not been read."""
        lines: list[LogLine] = []
        place = self._places.get(invocation_id, NOWHERE)
        for _ in range(_MOST_READS):
            reported = await self._store.run(read_events(invocation_id, after=place.read_position))
            record, whole = standing(invocation_id, reported), None
            if record is None:  # deleted meanwhile
                self._end(invocation_id)
                return lines
            has_all = is_whole(reported, place)
            if record.is_finished and reported.last[0] == 0:  # then the record has the output
                whole = await self._store.run(read(invocation_id))
            events = events_after(place, record, reported, whole)
            lines += self._lines(record, events)
            place = events[-1].place if events else place
            if has_all:
                if record.is_finished:
                    self._end(invocation_id)
                    return lines
                break
        self._follow(invocation_id, place)
        return lines

    def _lines(self, record: Record, events: list[Event]) -> list[LogLine]:
        ends = _ends_of_attempts(record)
        now_ms = self._clock()
        return [
            LogLine(record.id, at_ms, msgspec.json.decode(event.data, type=str).rstrip("\r\n"))
            for event in events
            if event.name == "log"
            and (at_ms := ends.get(event.place.attempt, now_ms)) >= self._since_ms
        ]

    def _follow(self, invocation_id: str, place: EventId) -> None:
        self._places[invocation_id] = place
        if len(self._places) > _MOST_FOLLOWED:
            del self._places[min(self._places)]

    def _end(self, invocation_id: str) -> None:
        self._places.pop(invocation_id, None)
        self._ended[invocation_id] = None
        if len(self._ended) > _MOST_ENDED:
            del self._ended[next(iter(self._ended))]


def _ends_of_attempts(record: Record) -> dict[int, int]:
    """Return when each attempt that has ended did so."""
    earlier = msgspec.json.decode(b"[%b]" % record.earlier_attempts)
    ends = {entry["attempt"]: entry["finished_at_ms"] for entry in earlier}
    if record.finished_at_ms is not None:
        ends[record.attempt] = record.finished_at_ms
    return ends
