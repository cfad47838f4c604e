"""Open event streams of one gateway process: each waits for pokes, reads, and writes.

A poke on the gateway's inbox says that there is news of an invocation; what it is, is
read over the connection that all requests share. So a stream costs no connection to
Redis and no worker. It reads on only when its client has taken what was written, and
has forgotten its client when that is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

import structlog

from gateway.live.event_reader import EventReader
from runtime.errors import InvocationGoneError, StoreError, UnknownInvocationError
from runtime.invocations.events import EventId
from runtime.invocations.ids import is_invocation_id

_log = structlog.get_logger(__name__)
_RETRY = b"retry: 1000\n\n"
_STILL_HERE = b": still here\n\n"
_HEARTBEAT_S = 15.0
_PACE_S = 0.025
_AWAY_PAUSE_S = 0.5


class Reader(NamedTuple):
    """Who reads a stream.

    Attributes:
        key_id: The key he shows, or his session stands for; "" for none.
        session: The digest of his session, if he has one.
        ends_at: When his key or session is over, by the loop's clock.
    """

    key_id: str = ""
    session: str = ""
    ends_at: float = float("inf")


class EventStreams:
    """Every stream that is open."""

    def __init__(self, reader: EventReader, *, heartbeat_s: float = _HEARTBEAT_S) -> None:
        self._reader = reader
        self._heartbeat_s = heartbeat_s
        self._open: dict[str, set[EventStream]] = {}
        self._is_draining = False

    def __len__(self) -> int:
        return sum(map(len, self._open.values()))

    async def open(
        self, invocation_id: str, place: EventId, *, reader: Reader | None = None
    ) -> EventStream:
        """Return the stream of what follows a place, for as long as its reader may read.

        Raises:
            UnknownInvocationError: There never was an invocation of that id.
            InvocationGoneError: There was, but it is no longer kept.
            StoreError: Redis is away.
        """
        if not is_invocation_id(invocation_id):
            raise UnknownInvocationError(f"No invocation has the id {invocation_id[:64]!r}.")
        stream = EventStream(self, self._reader, invocation_id, place, self._heartbeat_s)
        stream.reader = reader or Reader()
        await stream.look()
        return stream

    def enter(self, stream: EventStream) -> None:
        """Poke the stream from now on."""
        self._open.setdefault(stream.invocation_id, set()).add(stream)
        if self._is_draining:
            stream.stop()

    def leave(self, stream: EventStream) -> None:
        """Forget the stream; safe to call twice."""
        streams = self._open.get(stream.invocation_id, set())
        streams.discard(stream)
        if not streams:
            self._open.pop(stream.invocation_id, None)

    def notify(self, invocation_id: str) -> None:
        """Hear that there is news of an invocation."""
        self._reader.outdate(invocation_id)
        for stream in self._open.get(invocation_id, ()):
            stream.notify()

    def look_again(self) -> None:
        """Have every stream look: pokes may have been missed."""
        for invocation_id in list(self._open):
            self.notify(invocation_id)

    def end_those_of(self, key_id: str) -> None:
        """End the streams of a key that was revoked."""
        for stream in _all(self._open.values()):
            if stream.reader.key_id == key_id:
                stream.stop()

    def end_those_of_session(self, digest: str) -> None:
        """End the streams of a session whose owner has left."""
        for stream in _all(self._open.values()):
            if stream.reader.session == digest:
                stream.stop()

    def readers(self) -> set[Reader]:
        """Return who reads."""
        return {stream.reader for stream in _all(self._open.values())}

    def drain(self) -> None:
        """End every stream, where it is, and those to come: the process stops."""
        self._is_draining = True
        for stream in _all(self._open.values()):
            stream.stop()


class EventStream:
    """What one client reads: an asynchronous iterator of pieces of text/event-stream."""

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
        """Whether the client has had all there will ever be."""
        return self._is_over and not self._first

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> bytes:
        if self._first is not None:
            text, self._first = _RETRY + self._first, None
            self._notified.set()  # there may have been news since the first look
            self._streams.enter(self)
            return self._say(text)
        while not self._is_over:
            await self._await_turn()
            try:
                text = await self._look()
            except StoreError as error:
                _log.debug("events_unread", id=self.invocation_id, reason=str(error))
                self._looks_at = self._loop.time() + _AWAY_PAUSE_S
                self._notified.set()
                text = b""
            except InvocationGoneError:
                break
            if self._loop.time() >= self.reader.ends_at:
                break
            if text:
                return self._say(text)
            if self._loop.time() >= self._speaks_at:
                return self._say(_STILL_HERE)
        self._streams.leave(self)
        raise StopAsyncIteration

    async def look(self) -> None:
        """Read for the first time, so that what is wrong can still be answered as a problem."""
        self._first = await self._look()

    async def close(self) -> None:
        """Forget the client; safe to call twice."""
        self._streams.leave(self)

    def notify(self) -> None:
        """Hear that there is news."""
        self._notified.set()

    def stop(self) -> None:
        """End here; the client will come again elsewhere."""
        self._is_over = True
        self._notified.set()

    async def _await_turn(self) -> None:
        """Wait for news, but no longer than until a sign of life is due; and not look too often."""
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
        self._notified.clear()
        reading = await self._events.read(self.invocation_id, self._place)
        self._place, self.attempt = reading.place, reading.attempt
        self._has_more = reading.has_more
        self._is_over = self._is_over or reading.is_end
        self._looks_at = 0.0 if reading.has_more else self._loop.time() + _PACE_S
        return reading.text

    def _say(self, text: bytes) -> bytes:
        self._speaks_at = self._loop.time() + self._heartbeat_s
        return text


def _all(groups: Iterable[set[EventStream]]) -> list[EventStream]:
    return [stream for group in groups for stream in group]
