"""Hearing from Redis at the gateway: one connection in subscribe mode.

It reconnects for ever. What was published while it was away is lost, so its
owner is told of every (re)connection and looks again at what it waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis

from runtime.errors import StoreError, StoreUnavailableError
from runtime.store.redis_url import RedisUrl, check_role, parse_address
from runtime.store.resp import pack
from runtime.store.scripts import Argument
from runtime.store.sentinel import locate
from runtime.telemetry.background import lasting_task

_RETRY_S = 0.25
_PING_S = 10.0
_WATCHED_PING_S = 1.0
_MESSAGE_PARTS = 3


class PubSub:
    """Listen on channels from `start` until `stop`.

    Args:
        url: Where Redis is.
        channels: Their names, as built by `Keys`.
        on_message: Called in the loop with (channel, payload).
        on_connect: Called in the loop after each (re)connection, subscribed already.
        on_disconnect: Called in the loop when a connection is lost.
    """

    def __init__(
        self,
        url: str,
        channels: Sequence[str],
        *,
        on_message: Callable[[str, bytes], None],
        on_connect: Callable[[], None],
        on_disconnect: Callable[[], None] = lambda: None,
        timeout_s: float = 1.0,
    ) -> None:
        self._address = parse_address(url)
        # Where another may take over, a silent server is doubted soon.
        self._ping_s = _PING_S if self._address.watch is None else _WATCHED_PING_S
        self._channels = tuple(channels)
        self._on_message = on_message
        self._on_connect = on_connect
        self._on_disconnect = on_disconnect
        self._timeout_s = timeout_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin listening in the running loop."""
        self._task = lasting_task(self._listen_for_ever, name="subscription")

    async def stop(self) -> None:
        """Stop listening; safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _listen_for_ever(self) -> None:
        while True:
            with contextlib.suppress(OSError, StoreError, TimeoutError):
                await self._listen()
            await asyncio.sleep(_RETRY_S)

    async def _listen(self) -> None:
        """Listen until the connection is lost, or silent although it was asked."""
        protocol = _PubSubProtocol(self._channels, self._on_message, self._on_connect)
        try:
            await asyncio.wait_for(_open(self._address, protocol), self._timeout_s)
            protocol.subscribe()
            while not protocol.lost.done():
                protocol.has_received = False
                await asyncio.wait((protocol.lost,), timeout=self._ping_s)
                if protocol.has_received or protocol.lost.done():
                    continue
                protocol.ask()
                await asyncio.wait((protocol.lost,), timeout=self._ping_s)
                if not protocol.has_received:
                    raise StoreUnavailableError("no answer to PING")
        finally:
            self._on_disconnect()
            protocol.close()


class _PubSubProtocol(asyncio.Protocol):
    """The protocol of one connection in subscribe mode.

    Attributes:
        has_heard: Whether anything came since this was last set to False.
        lost: Done when the connection is gone.
    """

    def __init__(
        self,
        channels: tuple[str, ...],
        on_message: Callable[[str, bytes], None],
        on_connect: Callable[[], None],
    ) -> None:
        self.has_received = False
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._channels = channels
        self._on_message = on_message
        self._on_connect = on_connect
        self._subscribed = 0
        self._replies = hiredis.Reader()
        self._transport: asyncio.Transport | None = None

    def introduce(self, server: RedisUrl) -> None:
        """Say who we are."""
        for words in server.authentication():
            self._write(*words)

    def subscribe(self) -> None:
        """Ask what the server is, and say what we want to hear."""
        self._write("ROLE")
        self._write("SUBSCRIBE", *self._channels)

    def ask(self) -> None:
        """Ask for a sign of life."""
        self._write("PING")

    def close(self) -> None:
        """Hang up; safe to call twice."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write (asyncio.Protocol)."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Tell the listener (asyncio.Protocol)."""
        if not self.lost.done():
            self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Hand out what was published (asyncio.Protocol)."""
        self.has_received = True
        self._replies.feed(data)
        try:
            while (reply := self._replies.gets()) is not False:
                self._take(reply)
        except (hiredis.ProtocolError, StoreUnavailableError):
            self.close()

    def _take(self, reply: Any) -> None:  # noqa: ANN401 - a reply is any RESP value
        if not isinstance(reply, list):
            return
        if reply[0] == b"message" and len(reply) == _MESSAGE_PARTS:
            self._on_message(reply[1].decode(), reply[2])
        elif reply[0] == b"subscribe":
            self._subscribed += 1
            if self._subscribed == len(self._channels):
                self._on_connect()
        elif not self._subscribed:
            check_role(reply)

    def _write(self, *words: Argument) -> None:
        if self._transport is not None:
            self._transport.write(pack(words))


async def _open(address: RedisUrl, protocol: _PubSubProtocol) -> None:
    servers = await locate(address)
    for server in servers[:-1]:
        with contextlib.suppress(OSError):
            await _open_at(server, protocol)
            return
    await _open_at(servers[-1], protocol)


async def _open_at(server: RedisUrl, protocol: _PubSubProtocol) -> None:
    loop = asyncio.get_running_loop()
    if server.path is not None:
        await loop.create_unix_connection(lambda: protocol, server.path)
    else:
        context = server.tls_context()
        await loop.create_connection(lambda: protocol, server.host, server.port, ssl=context)
    protocol.introduce(server)
