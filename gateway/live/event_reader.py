"""Reads events for the streams of one gateway process, as text/event-stream.

Streams at the same place of an invocation share one read, so many readers of one invocation cost
as little as one.
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
    """The events after a place.

    Attributes:
        text: The events, as text/event-stream; empty if there are none.
        place: The place of the last of them; without events, the place that was asked for.
        attempt: The number of the invocation's latest attempt.
        has_more: Whether there are further events, which did not fit into this read.
        is_end: Whether the invocation has finished and these are its last events.
    """

    text: bytes
    place: EventId
    attempt: int
    has_more: bool
    is_end: bool


class EventReader:
    """Reads events, and has Redis notify the inbox of `gateway_id` when there are more."""

    def __init__(self, store: AsyncConnection, gateway_id: str) -> None:
        self._store = store
        self._gateway_id = gateway_id
        self._under_way: dict[str, dict[EventId, asyncio.Task[Reading]]] = {}

    def __len__(self) -> int:
        """How many invocations are being read."""
        return len(self._under_way)

    async def read(self, invocation_id: str, place: EventId) -> Reading:
        """Return the events after a place.

        Raises:
            InvocationGoneError: The invocation is no longer kept.
            StoreError: Redis does not answer, or answers with an error.
        """
        under_way = self._under_way.setdefault(invocation_id, {})
        task = under_way.get(place)
        if task is None:
            task = under_way[place] = asyncio.create_task(self._read(invocation_id, place))
            task.add_done_callback(lambda done: self._forget(invocation_id, place, done))
        # Shielded: a client that leaves must not cancel the read that other streams share.
        return await asyncio.shield(task)

    def outdate(self, invocation_id: str) -> None:
        """Share no current read with new readers: it may have begun before the latest events."""
        self._under_way.pop(invocation_id, None)

    async def _read(self, invocation_id: str, place: EventId) -> Reading:
        reported = await self._store.run(
            read_events(invocation_id, after=place.read_position, gateway=self._gateway_id)
        )
        record, whole = standing(invocation_id, reported), None
        if record is not None and record.is_finished and is_whole(reported, place):
            # The `end` event shows the whole invocation; the first read leaves out what is long.
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
            task.exception()  # marks it as retrieved: there may be no stream left to raise it in
        under_way = self._under_way.get(invocation_id, {})
        if under_way.get(place) is task:  # not if `outdate` came and another read has begun
            del under_way[place]
        if not under_way:
            self._under_way.pop(invocation_id, None)


def _write(events: Iterable[Event], missing: int) -> bytes:
    """Return events in the format of the HTML standard, section 9.2, each with its data on a line.

    `missing` is how many events before them are no longer kept.
    """
    parts = [b": %d events are no longer kept\n\n" % missing] if missing else []
    for event in events:
        data = event.data.replace(b"\n", b" ").replace(b"\r", b" ")
        parts.append(f"id: {event.place}\nevent: {event.name}\ndata: ".encode() + data + b"\n\n")
    return b"".join(parts)
