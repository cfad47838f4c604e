"""One request and its response on a connection: the ASGI side.

The connection creates the cycle when it has a head, feeds it body bytes and starts it. The cycle
calls the application and writes the response in as few writes as it can.

    queued ──begin──► running ──first body message──► responding ──last one──► closed
      └─────────────────┴───── abandon: client left or refused ──┴────────────────▲

All of it runs in the thread of the event loop. Who writes each field:

    task              `RequestDispatcher.begin`
    keep_alive        the connection at shutdown or end of input; `_head`; `run` after a failure
    body_complete     the connection: `feed_whole`, `complete_body`
    _body             the connection adds (`feed`), `receive` takes
    _delivered        `receive`: the application has the last piece of the body
    _arrived          `receive` creates it to wait; `_wake` resolves it
    _start            `send`: the head, until the first body message
    response_started  `_head`
    _held_bytes       `feed` adds, `_close` releases
    closed            `_close`, from `_end` (response complete) or `abandon`
"""

from __future__ import annotations

import asyncio
import http
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from gateway.serving.body_memory import BodyMemory

Message = MutableMapping[str, Any]
Application = Callable[..., Awaitable[None]]

_log = logging.getLogger("uvicorn.error")
_COPIED_BYTES = 16_384  # a longer body is not joined to its head, which would copy it
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BODILESS = frozenset({204, 304})
STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
    for status in http.HTTPStatus
}
_FAILED = (
    b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/problem+json\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class ConnectionPort(Protocol):
    """What a request cycle needs of its connection."""

    def write(self, data: bytes) -> None:
        """Send bytes to the client."""

    def writelines(self, pieces: tuple[bytes, ...]) -> None:
        """Send several pieces in one write."""

    def own_headers(self) -> bytes:
        """Return the headers of every response, as lines with their line ends."""

    async def writable(self) -> None:
        """Wait until the client has taken what was written."""

    def wants_body(self) -> None:
        """Read on: the application waits for the body."""

    def finished(self, exchange: RequestCycle) -> None:
        """Go on: the response is complete, or will never be."""


class RequestCycle:
    """One request, from its headers to the end of its response.

    Attributes:
        task: Runs the application; None until it is started.
    """

    __slots__ = (
        "_arrived",
        "_bodies",
        "_body",
        "_chunked",
        "_delivered",
        "_expects_continue",
        "_head_only",
        "_held_bytes",
        "_sink",
        "_start",
        "body_complete",
        "closed",
        "keep_alive",
        "response_started",
        "scope",
        "task",
    )

    def __init__(
        self,
        scope: dict[str, Any],
        sink: ConnectionPort,
        *,
        keep_alive: bool,
        expects_continue: bool = False,
        bodies: BodyMemory | None = None,
    ) -> None:
        self.scope = scope
        self.keep_alive = keep_alive
        self.body_complete = False
        self.response_started = False
        self.closed = False
        self.task: asyncio.Task[None] | None = None
        self._sink = sink
        self._bodies = bodies
        self._held_bytes = 0
        self._head_only = scope["method"] == "HEAD"
        self._expects_continue = expects_continue
        self._body: bytearray | bytes = b""
        self._arrived: asyncio.Future[None] | None = None
        self._start: Message | None = None
        self._chunked = False
        self._delivered = False

    @property
    def unread_bytes(self) -> int:
        """How much of the received body the application has not taken yet."""
        return len(self._body)

    def feed(self, data: bytes) -> bool:
        """Add a piece of the body; False if the process may not hold that much."""
        if self._bodies is not None:
            if not self._bodies.take(len(data)):
                return False
            self._held_bytes += len(data)
        if not self._body:
            self._body = data
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += data
        self._wake()
        return True

    def feed_whole(self, body: bytes) -> None:
        """Set the whole body. It came with its head, so it is short and not counted."""
        self._body = body
        self.body_complete = True

    def complete_body(self) -> None:
        """Mark the body as complete."""
        self.body_complete = True
        self._wake()

    def abandon(self, *, after_s: float = 0.0) -> None:
        """End without a response: the client has left or is refused.

        A complete request may run on for `after_s`, so that a client may post and leave.
        """
        self._close()
        if self.task is not None and self.body_complete and after_s:
            asyncio.get_running_loop().call_later(after_s, self.task.cancel)
        elif self.task is not None:
            self.task.cancel()
        self._wake()

    async def run(self, application: Application) -> None:
        """Call the application; however it ends, the connection's `finished` is called."""
        try:
            await application(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            if not self.closed:  # not by `abandon`: the server shuts down
                raise
        except Exception:  # noqa: BLE001 - the outermost frame of a request
            _log.exception("the application raised an exception")
        if not self.closed:  # the response is incomplete, so the client must see the close
            self.keep_alive = False
            if not self.response_started:
                self._sink.write(_FAILED)
            self._end()

    async def receive(self) -> Message:
        """ASGI receive."""
        while not (self._body or self.body_complete or self.closed):
            # Sent only when the application reads: a request refused by its head gets none.
            if self._expects_continue:
                self._expects_continue = False
                self._sink.write(_CONTINUE)
            # The connection may have paused reading, and only this resumes it.
            self._sink.wants_body()
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
        # A body that came whole is delivered even if its client has left.
        if self.closed and (self._delivered or not self.body_complete):
            return {"type": "http.disconnect"}
        if self._delivered:  # after the body, ASGI has only the disconnect to report
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
            return {"type": "http.disconnect"}
        body, self._body = bytes(self._body), b""
        if self.body_complete:
            self._delivered = True
        return {"type": "http.request", "body": body, "more_body": not self.body_complete}

    async def send(self, message: Message) -> None:
        """ASGI send."""
        if self.closed:
            return
        if message["type"] == "http.response.start":
            self._start = message  # kept, so that head and body leave in one write
            return
        body = message.get("body", b"")
        more = message.get("more_body", False)
        head = b"" if self._start is None else self._head(self._start)
        self._start = None
        framed = self._frame(body, more=more)
        if len(framed) <= _COPIED_BYTES:
            self._sink.write(head + framed)
        else:
            self._sink.writelines((head, framed) if head else (framed,))
        if more:
            # Back-pressure: a stream makes no further piece before the client takes this one.
            await self._sink.writable()
        else:
            self._end()

    def _head(self, start: Message) -> bytes:
        status = start["status"]
        lines = [STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
        sized = False
        for name, value in start.get("headers", ()):
            if name == b"content-length":
                sized = True
            elif name == b"connection" and value.lower() == b"close":
                self.keep_alive = False
                continue
            lines.append(b"%b: %b\r\n" % (name, value))
        if status in _BODILESS:
            self._head_only = True
        elif not sized and not self._head_only:
            if self.scope["http_version"] == "1.1":
                self._chunked = True
                lines.append(b"transfer-encoding: chunked\r\n")
            else:
                self.keep_alive = False
        lines.append(self._connection_line())
        head = b"".join(lines)
        count = len(lines) - (not lines[-1])
        # A line break in a value would let a caller add headers (response splitting).
        if head.count(b"\n") != count or head.count(b"\r") != count:
            raise ValueError("a response header contains a line break")
        self.response_started = True
        return b"%b%b\r\n" % (head, self._sink.own_headers())

    def _connection_line(self) -> bytes:
        """Return the Connection header; HTTP/1.0 needs one to keep the connection."""
        if not self.keep_alive:
            return b"connection: close\r\n"
        return b"" if self.scope["http_version"] == "1.1" else b"connection: keep-alive\r\n"

    def _frame(self, body: bytes, *, more: bool) -> bytes:
        if self._head_only:
            return b""
        if not self._chunked:
            return body
        framed = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        return framed if more else framed + b"0\r\n\r\n"

    def _close(self) -> None:
        self.closed = True
        if self._held_bytes and self._bodies is not None:
            self._bodies.release(self._held_bytes)
            self._held_bytes = 0

    def _end(self) -> None:
        self._close()  # before `_wake`: a waiting `receive` looks at `closed`
        self._wake()
        self._sink.finished(self)  # last: it may start the next request

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)
