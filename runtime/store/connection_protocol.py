"""One connection to Redis on an event loop: commands are pipelined, replies come in their order.

In a gateway the loop is asyncio's (`runtime.store.async_connection`), in a worker its own
(`runtime.store.loop_connection`). Both call the methods that `asyncio.Protocol` names.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import hiredis

from runtime.errors import StoreUnavailableError


class TimerHandle(Protocol):
    """The handle of a call that is due later."""

    def cancel(self) -> None:
        """Cancel the call."""


class Clock(Protocol):
    """The part of an event loop that a connection needs."""

    def time(self) -> float:
        """Return the loop's time, in seconds."""

    def call_soon(self, callback: Callable[[], object], /) -> object:
        """Call at the end of this turn of the loop."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> TimerHandle:
        """Call after `delay` seconds."""


class Transport(Protocol):
    """Where a connection writes."""

    def write(self, data: bytes, /) -> None:
        """Send data; keep what cannot be sent yet."""

    def abort(self) -> None:
        """Close at once."""


class ConnectionProtocol(asyncio.Protocol):
    """The protocol of one connection: a queue of callbacks, in the order of the replies."""

    def __init__(self, loop: Clock, timeout_s: float) -> None:
        self.closed = False
        self._loop = loop
        self._timeout_s = timeout_s
        self._reader = hiredis.Reader()
        self._waiting: deque[tuple[Callable[[Any], None], float]] = deque()
        self._unsent: list[bytes] = []
        self._transport: Transport | None = None
        self._watch: TimerHandle | None = None

    def begin(
        self, command: bytes, receive: Callable[[Any], None], *, blocks_s: float = 0.0
    ) -> None:
        """Queue one packed command; `receive` gets its raw reply, or a StoreUnavailableError.

        `blocks_s` is how long the command may block in Redis, in addition to the timeout.
        """
        if self.closed:
            receive(StoreUnavailableError("the connection to Redis is closed"))
            return
        # Callbacks and commands are queued in one order: the n-th reply is for the n-th callback.
        self._waiting.append((receive, self._loop.time() + self._timeout_s + blocks_s))
        if not self._unsent:
            self._loop.call_soon(self.flush)
        self._unsent.append(command)
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout_s + blocks_s, self._check_oldest)

    def fail(self, why: str) -> None:
        """Close, and fail all commands without a reply; Redis may have run them or not.

        Safe to call twice.
        """
        if self.closed:
            return
        # Set before any callback runs: a command that a callback begins must fail, not wait here.
        self.closed = True
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
        waiting, self._waiting = self._waiting, deque()
        for receive, _ in waiting:
            receive(StoreUnavailableError(f"Redis: {why}"))

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's or a Stream
        """Keep the transport (asyncio.Protocol)."""
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail all commands without a reply (asyncio.Protocol)."""
        self.fail(str(exc or "connection closed by the server"))

    def data_received(self, data: bytes) -> None:
        """Pass on the replies that are complete (asyncio.Protocol)."""
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                receive, _ = self._waiting.popleft()
                receive(reply)
        except (hiredis.ProtocolError, IndexError) as error:
            # Later replies can no longer be matched with their commands.
            self.fail(f"broken reply: {error}")

    def flush(self) -> None:
        """Write the queued commands now; otherwise the end of the loop's turn writes them."""
        unsent, self._unsent = self._unsent, []
        if unsent and self._transport is not None and not self.closed:
            self._transport.write(b"".join(unsent) if len(unsent) > 1 else unsent[0])

    def _check_oldest(self) -> None:
        self._watch = None
        if not self._waiting:
            return
        # Only the oldest counts: replies come in order, so no later command can be answered before.
        left_s = self._waiting[0][1] - self._loop.time()
        if left_s <= 0:
            self.fail(f"no answer within {self._timeout_s:g} s")
        else:
            self._watch = self._loop.call_later(left_s, self._check_oldest)
