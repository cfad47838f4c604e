"""GET /invocations/{id}/events: follow an invocation live, by server-sent events.

Every event has an id. A client that reconnects with the id of the last event it got, as browsers
do, gets the events after it: none is missed, and none is sent twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from falcon.asgi import Request, Response

from gateway.asgi.application import IS_HEAD
from gateway.auth.caller import Caller, caller_of
from gateway.live.event_streams import EventStreams, Reader
from gateway.live.waiters import InvocationReader
from gateway.problems import ProblemError
from runtime.errors import ArgumentFault
from runtime.invocations.events import NOWHERE, EventId, parse_place

_HEADER, _PARAMETER = "Last-Event-ID", "last_event_id"


class Events:
    """Streams the events of one invocation."""

    def __init__(
        self,
        streams: EventStreams,
        invocation_reader: InvocationReader,
        *,
        now_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        """`now_ms` returns the time by Redis's clock, which decides when a key expires."""
        self._streams = streams
        self._invocation_reader = invocation_reader
        self._now_ms = now_ms

    async def on_get(self, req: Request, resp: Response, invocation_id: str) -> None:
        """Stream the events after Last-Event-ID, until the invocation has finished.

        A client that has its last event gets 204, which makes a browser stop reconnecting.
        """
        place = _read_place(req)
        caller = caller_of(req.scope)
        if caller.sees_only is not None:
            await self._invocation_reader.fetch(invocation_id, owner=caller.sees_only)
        stream = await self._streams.open(
            invocation_id, place, reader=reader_of(caller, self._now_ms())
        )
        if place.attempt > stream.attempt + 1:
            raise _refusal("the event is one of another invocation", str(place))
        if stream.is_empty:
            resp.status = 204
            return
        resp.content_type = "text/event-stream"
        resp.set_header("X-Accel-Buffering", "no")
        resp.stream = no_pieces() if req.scope[IS_HEAD] else stream


def reader_of(caller: Caller, now_ms: int) -> Reader:
    """Return a caller as a reader of streams; `now_ms` is the time by Redis's clock."""
    if caller.expires_at_ms is None:
        return Reader(caller.key_id, caller.session)
    left_s = (caller.expires_at_ms - now_ms) / 1000
    return Reader(caller.key_id, caller.session, asyncio.get_running_loop().time() + left_s)


async def no_pieces() -> AsyncIterator[bytes]:
    """Return the stream of a response to HEAD."""
    return
    yield b""


def _read_place(req: Request) -> EventId:
    """Return the place of the client's last event; the header wins, as browsers renew only that."""
    text = req.get_header(_HEADER) or req.get_param(_PARAMETER)
    if not text:
        return NOWHERE
    place = parse_place(text)
    if place is None:
        raise _refusal("takes the id of an event of this invocation, such as 1.1.7", text)
    return place


def _refusal(detail: str, text: str) -> ProblemError:
    fault = ArgumentFault(pointer=_HEADER, detail=f"{detail}; got {text[:64]!r}")
    said = f"{fault.pointer}: {fault.detail}"
    return ProblemError("parameter_invalid", said, errors=[fault])
