"""Reading events for the streams of one gateway process, as text/event-stream.

Streams that stand at the same place of one invocation share what is read and written,
so that many readers of one invocation cost as little as one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from runtime.errors import InvocationGoneError
from runtime.invocations.events import (
    Event,
    EventId,
    count_missing,
    events_after,
    is_whole,
    standing,
)
from runtime.invocations.record import read
from runtime.store.async_connection import AsyncConnection
from runtime.store.event_commands import read_events


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What follows a place.

    Attributes:
        text: The events, as text/event-stream; empty when there are none.
        place: Of the last of them, or the place itself.
        attempt: The invocation's last attempt so far.
        has_more: Whether more has been told already.
        is_end: Whether nothing follows, ever.
    """

    text: bytes
    place: EventId
    attempt: int
    has_more: bool
    is_end: bool


class EventReader:
    """Reads what follows a place; `gateway_id` is poked when there is more."""

    def __init__(self, store: AsyncConnection, gateway_id: str) -> None:
        self._store = store
        self._gateway_id = gateway_id
        self._under_way: dict[str, dict[EventId, asyncio.Task[Reading]]] = {}

    async def read(self, invocation_id: str, place: EventId) -> Reading:
        """Return what follows a place.

        Raises:
            InvocationGoneError: There is no such invocation any more.
            StoreError: Redis is away.
        """
        under_way = self._under_way.setdefault(invocation_id, {})
        task = under_way.get(place)
        if task is None:
            task = under_way[place] = asyncio.create_task(self._read(invocation_id, place))
            task.add_done_callback(lambda done: self._forget(invocation_id, place, done))
        return await asyncio.shield(task)

    def outdate(self, invocation_id: str) -> None:
        """Hear of news: what is being read may be from before them, and serves nobody who comes."""
        self._under_way.pop(invocation_id, None)

    async def _read(self, invocation_id: str, place: EventId) -> Reading:
        reported = await self._store.run(
            read_events(invocation_id, after=place.read_position, gateway=self._gateway_id)
        )
        record, whole = standing(invocation_id, reported), None
        if record is not None and record.is_finished and is_whole(reported, place):
            record = whole = await self._store.run(read(invocation_id))
        if record is None:
            raise InvocationGoneError(f"The invocation {invocation_id} is no longer kept.")
        events = events_after(place, record, reported, whole)
        return Reading(
            text=_write(events, count_missing(place, events)),
            place=events[-1].place if events else place,
            attempt=record.attempt,
            has_more=not is_whole(reported, place),
            is_end=whole is not None,
        )

    def _forget(self, invocation_id: str, place: EventId, task: asyncio.Task[Reading]) -> None:
        if not task.cancelled():
            task.exception()  # those who wait for it have it; perhaps nobody does any more
        under_way = self._under_way.get(invocation_id, {})
        if under_way.get(place) is task:
            del under_way[place]
        if not under_way:
            self._under_way.pop(invocation_id, None)


def _write(events: Iterable[Event], missing: int) -> bytes:
    """Return events as the HTML standard's section 9.2 has them, data on one line each."""
    parts = [b": %d events are no longer kept\n\n" % missing] if missing else []
    for event in events:
        data = event.data.replace(b"\n", b" ").replace(b"\r", b" ")
        parts.append(f"id: {event.place}\nevent: {event.name}\ndata: ".encode() + data + b"\n\n")
    return b"".join(parts)
