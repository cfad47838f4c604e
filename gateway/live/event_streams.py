"""The open event streams of one gateway process: each waits for notices, reads events, writes.

A notice on the gateway's inbox says that an invocation has new events; they are read over the
connection that all requests share. So a stream needs no connection to Redis and no worker. The
server asks a stream for the next piece only when its client has taken the one before.

    opened ──look──► first ──__anext__──► waiting ──notice, heartbeat due──► reading ──► over
                                             ▲──────events or heartbeat─────────┘

It is over at the invocation's end, at `stop`, and when its reader's key or session expires. All
of it runs in the thread of the event loop. Who writes each field of an `EventStream`:

    _first                          `look` sets the first text; the first `__anext__` takes it
    _notified                       set by `notify`, `stop`, `__anext__`; cleared before each read
    _place, attempt, _has_more      `_look`, from what was read
    _is_over                        `_look` at the end of the invocation; `stop`
    _speaks_at                      `_say`: when the next heartbeat is due
    _looks_at                       `_look`, and `__anext__` after an error: no read before this
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple, Protocol

import structlog

from gateway.live.event_reader import EventReader
from runtime.errors import InvocationGoneError, StoreError, UnknownInvocationError
from runtime.invocations.events import EventId
from runtime.invocations.ids import is_invocation_id

_log = structlog.get_logger(__name__)
_RETRY = b"retry: 1000\n\n"
_STILL_HERE = b": still here\n\n"
_HEARTBEAT_S = 15.0
_PACE_S = 0.025  # between two reads of a stream that has all events: at most 40 a second
_AWAY_PAUSE_S = 0.5


class Reader(NamedTuple):
    """The caller that reads a stream.

    Attributes:
        key_id: The id of their key, or of the key of their session; "" without one.
        session: The digest of their session; "" without one.
        ends_at: When their key or session expires, in the loop's time.
    """

    key_id: str = ""
    session: str = ""
    ends_at: float = float("inf")


class OpenStream(Protocol):
    """What `EventStreams` needs of a stream."""

    invocation_id: str
    reader: Reader

    def notify(self) -> None:
        """Read again: there is something new."""

    def stop(self) -> None:
        """End the stream."""


class EventStreams:
    """All open streams of the process, by invocation."""

    def __init__(self, reader: EventReader, *, heartbeat_s: float = _HEARTBEAT_S) -> None:
        self._reader = reader
        self._heartbeat_s = heartbeat_s
        self._open: dict[str, set[OpenStream]] = {}
        self._is_draining = False

    def __len__(self) -> int:
        return sum(map(len, self._open.values()))

    def count_of(self, invocation_id: str) -> int:
        """Return how many streams of an invocation are open."""
        return len(self._open.get(invocation_id, ()))

    async def open(
        self, invocation_id: str, place: EventId, *, reader: Reader | None = None
    ) -> EventStream:
        """Return a stream of the events after a place, until its reader's key or session expires.

        Raises:
            UnknownInvocationError: The id is not one of an invocation.
            InvocationGoneError: The invocation is no longer kept.
            StoreError: Redis does not answer, or answers with an error.
        """
        if not is_invocation_id(invocation_id):
            raise UnknownInvocationError(f"No invocation has the id {invocation_id[:64]!r}.")
        stream = EventStream(self, self._reader, invocation_id, place, self._heartbeat_s)
        stream.reader = reader or Reader()
        await stream.look()
        return stream

    def enter(self, stream: OpenStream) -> None:
        """Pass notices to the stream from now on."""
        self._open.setdefault(stream.invocation_id, set()).add(stream)
        if self._is_draining:
            stream.stop()

    def leave(self, stream: OpenStream) -> None:
        """Pass no more notices to the stream; safe to call twice."""
        streams = self._open.get(stream.invocation_id, set())
        streams.discard(stream)
        if not streams:
            self._open.pop(stream.invocation_id, None)

    def notify(self, invocation_id: str) -> None:
        """Wake the streams of an invocation that has new events."""
        # First: the streams must not share a read that began before these events.
        self._reader.outdate(invocation_id)
        for stream in self._open.get(invocation_id, ()):
            stream.notify()

    def look_again(self) -> None:
        """Wake every stream, because notices may have been missed."""
        for invocation_id in list(self._open):
            self.notify(invocation_id)

    def end_those_of(self, key_id: str) -> None:
        """End the streams of a revoked key."""
        for stream in _all(self._open.values()):
            if stream.reader.key_id == key_id:
                stream.stop()

    def end_those_of_session(self, digest: str) -> None:
        """End the streams of a session that was logged out."""
        for stream in _all(self._open.values()):
            if stream.reader.session == digest:
                stream.stop()

    def readers(self) -> set[Reader]:
        """Return the readers of all open streams."""
        return {stream.reader for stream in _all(self._open.values())}

    def drain(self) -> None:
        """End every stream, and each one opened from now on: the process stops."""
        self._is_draining = True
        for stream in _all(self._open.values()):
            stream.stop()


class EventStream:
    """The stream of one client: an asynchronous iterator of pieces of text/event-stream."""

    def __init__(
        self,
        streams: EventStreams,
        reader: EventReader,
        invocation_id: str,
        place: EventId,
        heartbeat_s: float,
    ) -> None:
        self.invocation_id = invocation_id
        self.attempt = 0
        self.reader = Reader()
        self._streams = streams
        self._events = reader
        self._place = place
        self._heartbeat_s = heartbeat_s
        self._first: bytes | None = None
        self._has_more = False
        self._is_over = False
        self._notified = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._speaks_at = 0.0
        self._looks_at = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether the invocation has finished and the client has all of its events."""
        return self._is_over and not self._first

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> bytes:
        if self._first is not None:
            text, self._first = _RETRY + self._first, None
            # Notices arrive only after `enter`: one since the first read may have been missed.
            self._notified.set()
            self._streams.enter(self)
            return self._say(text)
        while not self._is_over:
            await self._await_turn()
            try:
                text = await self._look()
            except StoreError as error:
                _log.debug("events_unread", id=self.invocation_id, reason=str(error))
                self._looks_at = self._loop.time() + _AWAY_PAUSE_S
                self._notified.set()  # this read is still to be done; meanwhile heartbeats go on
                text = b""
            except InvocationGoneError:
                break
            if self._loop.time() >= self.reader.ends_at:  # after the read, which takes time
                break
            if text:
                return self._say(text)
            if self._loop.time() >= self._speaks_at:
                return self._say(_STILL_HERE)
        self._streams.leave(self)
        raise StopAsyncIteration

    async def look(self) -> None:
        """Read for the first time, before the response begins: an error can still be a problem."""
        self._first = await self._look()

    async def close(self) -> None:
        """Stop receiving notices (called when the response ends); safe to call twice."""
        self._streams.leave(self)

    def notify(self) -> None:
        """Read again: there are new events."""
        self._notified.set()

    def stop(self) -> None:
        """End the stream; a client reconnects, to another process if this one stops."""
        self._is_over = True
        self._notified.set()

    async def _await_turn(self) -> None:
        """Wait for a notice, a due heartbeat or the expiry, then until the next read is allowed."""
        if not self._has_more:
            try:
                async with asyncio.timeout_at(min(self._speaks_at, self.reader.ends_at)):
                    await self._notified.wait()
            except TimeoutError:
                pass
        pause_s = self._looks_at - self._loop.time()
        if pause_s > 0:
            await asyncio.sleep(pause_s)

    async def _look(self) -> bytes:
        self._notified.clear()  # before the read: a notice during it must cause another read
        reading = await self._events.read(self.invocation_id, self._place)
        self._place, self.attempt = reading.place, reading.attempt
        self._has_more = reading.has_more
        self._is_over = self._is_over or reading.is_end
        self._looks_at = 0.0 if reading.has_more else self._loop.time() + _PACE_S
        return reading.text

    def _say(self, text: bytes) -> bytes:
        self._speaks_at = self._loop.time() + self._heartbeat_s
        return text


def _all(groups: Iterable[set[OpenStream]]) -> list[OpenStream]:
    return [stream for group in groups for stream in group]
