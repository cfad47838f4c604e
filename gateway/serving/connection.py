"""One client connection: enforce the deadlines, answer requests in the order they came.

Uvicorn creates one per socket. No client may cost unbounded time or memory. The server calls
`sweep` five times a second to check the one read deadline, so a request needs no timer.

    idle ──► head ──► body ──► answer ──► idle     deadlines: idle_timeout_s, header_timeout_s,
      │        └─refuse─┤         │                body_timeout_s; none for the answer
      ▼                 ▼         ▼
    closing ──► closed ◄─── lingering              linger_s; both drop all input (`_deaf`)

From `answer` it goes to `closing` without keep-alive, to `lingering` if its body is incomplete.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.serving.allowed_hosts import AllowedHosts
from gateway.serving.allowed_origins import AllowedOrigins
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
        origins: AllowedOrigins | None = None,
        bodies: BodyMemory | None = None,
    ) -> None:
        self._state = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._deadline = Deadline(self._loop)
        self._limits = limits
        self._heads = heads
        self._origins = origins
        self._parser = RequestParser(self, limits, hosts)
        self._beginnings = RequestDispatcher(
            self,
            application=config.loaded_app,
            app_state=app_state,
            tasks=server_state.tasks,
            bodies=bodies,
        )
        # All of this is used in the loop's thread. Who writes each field:
        self._transport = cast("asyncio.Transport", None)  # connection_made
        self._exchanges: deque[RequestCycle] = deque()  # unanswered; parser adds, finished removes
        self._reading: RequestCycle | None = None  # body incomplete: on_head; on_end and _refuse
        self._may_write: asyncio.Future[None] | None = None  # pause_writing; resume_writing
        self._dropped_bytes = 0  # data_received, while input is dropped
        self._deaf = False  # input is dropped: _refuse, _close, _close_lingering, connection_lost
        self._paused = self._stopping = False  # _pause and _resume; shutdown
        self._held: RequestCycle | None = None  # answered, not taken: finished; resume_writing
        self._learned: tuple[Scope, bool] | None = None  # the only head in these bytes: on_head
        self._drain = WriteStall(limits)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the header deadline of the first request (transport callback)."""
        self._transport = cast("asyncio.Transport", transport)
        self._beginnings.meet(self._transport)
        self._state.connections.add(cast("Any", self))
        self._deadline.expect(self._limits.header_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """End all requests: nobody reads their answers (transport callback)."""
        self._state.connections.discard(cast("Any", self))
        self._deaf = True
        self._deadline.clear()
        exchanges, self._exchanges = self._exchanges, deque()
        for exchange in exchanges:
            exchange.abandon(after_s=self._limits.leave_s)
        self.resume_writing()  # wakes what waits in `writable`

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, or drop those of a refused client (transport callback)."""
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
                self._deadline.at = NEVER  # the request is whole
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
        """Close after `leave_s`: a client that closed its side may still read quick answers."""
        if not self._exchanges or self._deaf:
            return False
        for exchange in self._exchanges:
            exchange.keep_alive = False
        self._loop.call_later(self._limits.leave_s, self._transport.close)
        return True

    def pause_writing(self) -> None:
        """Make `writable` wait: the client does not take what was written."""
        self._may_write = self._loop.create_future()

    def resume_writing(self) -> None:
        """Wake `writable`, and go on after an answer that had to be taken first."""
        waiting, self._may_write = self._may_write, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        held, self._held = self._held, None
        if held is not None and not self._transport.is_closing():
            self._go_on(held)

    def on_head(self, scope: Scope, *, keep_alive: bool, expects_continue: bool) -> None:
        """Start the request, or queue it behind the one before (parser callback)."""
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
            self._pause()  # one request at a time: pipelined ones wait in the client

    def on_piece(self, data: bytes) -> None:
        """Pass on a piece of the body; pause if the application does not read (parser callback)."""
        reading = self._reading
        if reading is not None and not reading.closed:
            if not reading.feed(data):
                self._parser.refuse("gateway_overloaded", "No memory is free for this body.")
            elif reading.unread_bytes > self._limits.unread_body_bytes:
                self._pause()

    def on_end(self) -> None:
        """End the reading of a request; its answer has no deadline (parser callback)."""
        reading, self._reading = self._reading, None
        self._deadline.clear()
        if reading is not None:
            reading.complete_body()

    def write(self, data: bytes) -> None:
        """Send bytes to the client (called by request cycles, as are the next five methods)."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def writelines(self, pieces: tuple[bytes, ...]) -> None:
        """Send several pieces in one write."""
        if not self._transport.is_closing():
            self._transport.writelines(pieces)

    def own_headers(self) -> bytes:
        """Return the headers of every response; the server renews Date every second."""
        return own_lines(self._state.default_headers)

    async def writable(self) -> None:
        """Wait while the client does not take what was written."""
        while self._may_write is not None:
            await asyncio.shield(self._may_write)

    def wants_body(self) -> None:
        """Read on: the application waits for the body. Not while further requests are queued."""
        if len(self._exchanges) <= 1:
            self._resume()

    def finished(self, exchange: RequestCycle) -> None:
        """Go on with the next request, or close; if this answer is not taken yet, after that."""
        if not self._exchanges or self._exchanges[0] is not exchange:
            return
        self._exchanges.popleft()
        self._state.total_requests += 1
        if self._may_write is None or not exchange.keep_alive or not exchange.body_complete:
            self._go_on(exchange)
        else:  # back-pressure: a client that does not read its answers gets no further ones
            self._held = exchange
            self._pause()

    def _go_on(self, exchange: RequestCycle) -> None:
        if not exchange.body_complete:
            self._close_lingering()
        elif not exchange.keep_alive or self._stopping:
            self._close()
        elif self._exchanges:
            self._beginnings.begin(self._exchanges[0])
        elif self._deaf:  # a request behind this one was refused; now it is its turn
            self._refuse()
        else:
            limits, is_reading = self._limits, self._parser.started
            self._deadline.expect(limits.header_timeout_s if is_reading else limits.idle_timeout_s)
        if self._paused and len(self._exchanges) <= 1:
            self._resume()

    def shutdown(self) -> None:
        """Close after the current response; if there is none, after `last_call_s`.

        A request that is already on its way would otherwise be reset.
        """
        self._stopping = True
        for exchange in self._exchanges:
            exchange.keep_alive = False
        if not self._exchanges:
            self._loop.call_later(self._limits.last_call_s, self._close_unasked)

    def sweep(self, now: float) -> None:
        """Check the deadlines; `now` is the loop's time (called by the server)."""
        left_bytes = self._transport.get_write_buffer_size()
        if self._drain.is_stuck(left_bytes, now):
            self._transport.abort()
            return
        if now < self._deadline.at:
            return
        self._deadline.clear()
        if self._deaf:
            if left_bytes:  # the client still takes its answer: `_drain` limits that
                self._deadline.expect(self._limits.linger_s)
            else:
                self._transport.abort()
        elif self._reading is not None or not self._parser.is_between:
            self._parser.time_out()
            self._refuse()
        else:
            self._close()

    def _close_unasked(self) -> None:
        if not self._exchanges:
            self._transport.close()

    def _pause(self) -> None:
        """Stop reading and pause the deadline: unread input does not make a client late."""
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._deadline.pause()  # also of a request that came in the same bytes, behind the pause

    def _resume(self) -> None:
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
            if self._reading is not None:
                self._deadline.go_on()

    def _refuse(self) -> None:
        """Refuse the request being read, once those before it are answered (see `_go_on`)."""
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
        self.write(refusal_answer(refusal, self.own_headers(), self._origins))
        self._close_lingering()

    def _close(self) -> None:
        """Close once the client has taken what was written; `sweep` aborts if it does not."""
        self._deaf = True
        self._deadline.expect(self._limits.linger_s)
        self._transport.close()

    def _close_lingering(self) -> None:
        """Close our side only, and drop further input: a full close could reset the answer."""
        self._deaf = True
        self._resume()  # input must be read to be dropped
        self._deadline.expect(self._limits.linger_s)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()
