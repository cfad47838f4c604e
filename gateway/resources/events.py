"""GET /invocations/{id}/events: an invocation followed live, by server-sent events.

Every event has an id; who comes again with the last one it got, as browsers do, is
told what follows it: nothing is missed and nothing told twice.
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
        follower: InvocationReader,
        *,
        now_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        """`now_ms` tells the time by Redis's clock, which keys and sessions end by."""
        self._streams = streams
        self._follower = follower
        self._now_ms = now_ms

    async def on_get(self, req: Request, resp: Response, invocation_id: str) -> None:
        """Stream what follows Last-Event-ID, until the end of the invocation.

        204 for who has had the end: it makes a browser stop coming again.
        """
        place = _read_place(req)
        caller = caller_of(req.scope)
        if caller.sees_only is not None:
            await self._follower.fetch(invocation_id, owner=caller.sees_only)
        stream = await self._streams.open(invocation_id, place, reader=self._reader_of(caller))
        if place.attempt > stream.attempt + 1:
            raise _refusal("it is of another invocation", str(place))
        if stream.is_empty:
            resp.status = 204
            return
        resp.content_type = "text/event-stream"
        resp.set_header("X-Accel-Buffering", "no")
        resp.stream = _nothing() if req.scope[IS_HEAD] else stream

    def _reader_of(self, caller: Caller) -> Reader:
        if caller.expires_at_ms is None:
            return Reader(caller.key_id, caller.session)
        left_s = (caller.expires_at_ms - self._now_ms()) / 1000
        return Reader(caller.key_id, caller.session, asyncio.get_running_loop().time() + left_s)


def _read_place(req: Request) -> EventId:
    """Return where the client stands; the header wins, as a browser renews only that."""
    text = req.get_header(_HEADER) or req.get_param(_PARAMETER)
    if not text:
        return NOWHERE
    place = parse_place(text)
    if place is None:
        raise _refusal("the id of an event of this invocation, such as 1.1.7", text)
    return place


def _refusal(detail: str, text: str) -> ProblemError:
    fault = ArgumentFault(pointer=_HEADER, detail=f"{detail}; got {text[:64]!r}")
    said = f"{fault.pointer}: {fault.detail}"
    return ProblemError("parameter_invalid", said, errors=[fault])


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
