"""One client connection: hold the deadlines, answer requests in their order.

Uvicorn's server makes one per accepted socket. The rule it protects: a client can neither be
slow nor large at our expense. Reading has at most one deadline at a time (headers, body, or
idleness), judged by `sweep`, which the server calls every tick; so a request costs no timer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.serving.allowed_hosts import AllowedHosts
from gateway.serving.body_memory import BodyMemory
from gateway.serving.deadline import NEVER, Deadline
from gateway.serving.dispatch import HeadCache, RequestDispatcher
from gateway.serving.error_responses import own_lines, refusal_answer
from gateway.serving.limits import ConnectionLimits, WriteStall
from gateway.serving.request_cycle import RequestCycle
from gateway.serving.request_parser import Refusal, RequestParser, Scope


class Connection(asyncio.Protocol):
    """The protocol of one socket."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: ConnectionLimits,
        heads: HeadCache,
        hosts: AllowedHosts | None = None,
        bodies: BodyMemory | None = None,
    ) -> None:
        self._state = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._deadline = Deadline(self._loop)
        self._limits = limits
        self._heads = heads
        self._parser = RequestParser(self, limits, hosts)
        self._beginnings = RequestDispatcher(
            self,
            application=config.loaded_app,
            app_state=app_state,
            tasks=server_state.tasks,
            bodies=bodies,
        )
        self._transport = cast("asyncio.Transport", None)
        self._exchanges: deque[RequestCycle] = deque()
        self._reading: RequestCycle | None = None
        self._may_write: asyncio.Future[None] | None = None
        self._dropped_bytes = 0
        self._deaf = self._paused = self._stopping = False
        self._held: RequestCycle | None = None
        self._learned: tuple[Scope, bool] | None = None  # the only head in what came
        self._drain = WriteStall(limits)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: the client has the header deadline to say something."""
        self._transport = cast("asyncio.Transport", transport)
        self._beginnings.meet(self._transport)
        self._state.connections.add(cast("Any", self))
        self._deadline.expect(self._limits.header_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """End: nobody reads the answers any more."""
        self._state.connections.discard(cast("Any", self))
        self._deaf = True
        self._deadline.clear()
        exchanges, self._exchanges = self._exchanges, deque()
        for exchange in exchanges:
            exchange.abandon(after_s=self._limits.leave_s)
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Parse what came; a refused client is read no further."""
        if self._deaf:
            self._dropped_bytes += len(data)
            if self._dropped_bytes > self._limits.linger_bytes:
                self._transport.abort()
            return
        parser = self._parser
        is_next = not (parser.started or parser.seen_bytes or self._exchanges)
        if is_next:
            begun = self._heads.recall(data)
            if begun is not None:
                exchange = self._beginnings.make_known(begun, stopping=self._stopping)
                self._exchanges.append(exchange)
                self._deadline.at = NEVER
                self._beginnings.begin(exchange)
                return
            self._deadline.expect(self._limits.header_timeout_s)
            self._learned = None
        parser.feed(data)
        if parser.refusal is not None:
            self._refuse()
        elif is_next and self._learned is not None and parser.is_between:
            scope, keep_alive = self._learned
            self._heads.learn(data, scope, keep_alive=keep_alive)

    def eof_received(self) -> bool:
        """Treat a client that has closed its side as gone, once quick answers had their time."""
        if not self._exchanges or self._deaf:
            return False
        for exchange in self._exchanges:
            exchange.keep_alive = False
        self._loop.call_later(self._limits.leave_s, self._transport.close)
        return True

    def pause_writing(self) -> None:
        """Hear that the client does not take what was written."""
        self._may_write = self._loop.create_future()

    def resume_writing(self) -> None:
        """Hear that it does again."""
        waiting, self._may_write = self._may_write, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        held, self._held = self._held, None
        if held is not None and not self._transport.is_closing():
            self._go_on(held)

    # What the parser tells

    def on_head(self, scope: Scope, *, keep_alive: bool, expects_continue: bool) -> None:
        """Start the request, or line it up behind the one before."""
        self._learned = None if self._exchanges else (scope, keep_alive)
        exchange = self._beginnings.make(
            scope, keep_alive=keep_alive and not self._stopping, expects_continue=expects_continue
        )
        self._reading = exchange
        self._deadline.expect(self._limits.body_timeout_s)
        self._exchanges.append(exchange)
        if len(self._exchanges) == 1:
            self._beginnings.begin(exchange)
        else:
            self._pause()

    def on_piece(self, data: bytes) -> None:
        """Take a piece of the body."""
        reading = self._reading
        if reading is not None and not reading.closed:
            if not reading.feed(data):
                self._parser.refuse(
                    "gateway_overloaded", "Too many bodies are held; send it later."
                )
            elif reading.unread_bytes > self._limits.unread_body_bytes:
                self._pause()

    def on_end(self) -> None:
        """End the reading of a request; its answer has no deadline of ours."""
        reading, self._reading = self._reading, None
        self._deadline.clear()
        if reading is not None:
            reading.complete_body()

    # What an exchange asks

    def write(self, data: bytes) -> None:
        """Send bytes to the client."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def writelines(self, pieces: tuple[bytes, ...]) -> None:
        """Send several at once."""
        if not self._transport.is_closing():
            self._transport.writelines(pieces)

    def own_headers(self) -> bytes:
        """Return the headers the server adds to every answer; it renews Date every second."""
        return own_lines(self._state.default_headers)

    async def writable(self) -> None:
        """Wait until the client has taken what was written."""
        while self._may_write is not None:
            await asyncio.shield(self._may_write)

    def wants_body(self) -> None:
        """Read on."""
        if len(self._exchanges) <= 1:
            self._resume()

    def finished(self, exchange: RequestCycle) -> None:
        """Go on with the next request, or close; but not before this answer is on its way."""
        if not self._exchanges or self._exchanges[0] is not exchange:
            return
        self._exchanges.popleft()
        self._state.total_requests += 1
        if self._may_write is None or not exchange.keep_alive or not exchange.body_complete:
            self._go_on(exchange)
        else:
            self._held = exchange
            self._pause()

    def _go_on(self, exchange: RequestCycle) -> None:
        if not exchange.body_complete:
            self._close_lingering()
        elif not exchange.keep_alive or self._stopping:
            self._close()
        elif self._exchanges:
            self._beginnings.begin(self._exchanges[0])
        elif self._deaf:
            self._refuse()
        else:
            limits, is_reading = self._limits, self._parser.started
            self._deadline.expect(limits.header_timeout_s if is_reading else limits.idle_timeout_s)
        if self._paused and len(self._exchanges) <= 1:
            self._resume()

    # What the server asks

    def shutdown(self) -> None:
        """Close after the response under way, or the one that is asked for any moment now."""
        self._stopping = True
        for exchange in self._exchanges:
            exchange.keep_alive = False
        if not self._exchanges:
            self._loop.call_later(self._limits.last_call_s, self._close_unasked)

    def sweep(self, now: float) -> None:
        """Judge the deadlines; `now` is the loop's time."""
        left_bytes = self._transport.get_write_buffer_size()
        if self._drain.is_stuck(left_bytes, now):
            self._transport.abort()
            return
        if now < self._deadline.at:
            return
        self._deadline.clear()
        if self._deaf:
            if left_bytes:
                self._deadline.expect(self._limits.linger_s)
            else:
                self._transport.abort()
        elif self._reading is not None or not self._parser.is_between:
            self._parser.time_out()
            self._refuse()
        else:
            self._close()

    # Ours alone

    def _close_unasked(self) -> None:
        if not self._exchanges:
            self._transport.close()

    def _pause(self) -> None:
        """Read no further for now; what does not come meanwhile is not the client's fault."""
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()
            self._deadline.pause()

    def _resume(self) -> None:
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
            if self._reading is not None:
                self._deadline.go_on()

    def _refuse(self) -> None:
        """Refuse what is being read, once the requests before it are answered."""
        self._deaf = True
        self._deadline.clear()
        reading, self._reading = self._reading, None
        if reading is not None and self._exchanges and self._exchanges[-1] is reading:
            self._exchanges.pop()
            reading.abandon()
            if reading.response_started:
                self._close_lingering()
                return
        if self._exchanges:
            return
        refusal = self._parser.refusal or Refusal("malformed_request", "")
        self.write(refusal_answer(refusal, self.own_headers()))
        self._close_lingering()

    def _close(self) -> None:
        """Close once what was written is taken; cut off a client that does not take it."""
        self._deaf = True
        self._deadline.expect(self._limits.linger_s)
        self._transport.close()

    def _close_lingering(self) -> None:
        """Close our side, and drop what the client still sends, so that it reads the answer."""
        self._deaf = True
        self._resume()
        self._deadline.expect(self._limits.linger_s)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()
