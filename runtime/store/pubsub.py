"""Subscribe to Redis channels, for gateways: one connection in subscribe mode.

It reconnects for ever. Messages published while it is disconnected are lost, so `on_connect` is
called after every (re)connection, and its owner reads again what it may have missed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis

from runtime.errors import StoreError, StoreUnavailableError
from runtime.store.reconnection import AWAY_PAUSE_S
from runtime.store.redis_url import RedisUrl, check_role, parse_address
from runtime.store.resp import pack
from runtime.store.scripts import Argument
from runtime.store.sentinel import locate
from runtime.telemetry.background import lasting_task

_PING_S = 10.0
_WATCHED_PING_S = 1.0
_MESSAGE_PARTS = 3
_REFUSALS = ("NOAUTH", "WRONGPASS", "NOPERM")


class PubSub:
    """Receive messages from channels, from `start` until `stop`.

    Args:
        url: Where Redis is.
        channels: Their names, as built by `Keys`.
        on_message: Called in the loop with (channel, payload).
        on_connect: Called in the loop after each (re)connection, when all channels are subscribed.
        on_disconnect: Called in the loop when a connection is lost or could not be made.
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
        # With sentinels another server may become master: detect a silent one sooner.
        self._ping_s = _PING_S if self._address.watch is None else _WATCHED_PING_S
        self._channels = tuple(channels)
        self._on_message = on_message
        self._on_connect = on_connect
        self._on_disconnect = on_disconnect
        self._timeout_s = timeout_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start receiving in the running loop."""
        self._task = lasting_task(self._listen_for_ever, name="subscription")

    async def stop(self) -> None:
        """Stop receiving; safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _listen_for_ever(self) -> None:
        while True:
            with contextlib.suppress(OSError, StoreError, TimeoutError):
                await self._listen()
            await asyncio.sleep(AWAY_PAUSE_S)

    async def _listen(self) -> None:
        """Receive until the connection is lost, or does not answer a PING."""
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
        has_received: Whether any data came since this was last set to False.
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
        """Send AUTH, if the address has a password."""
        for words in server.authentication():
            self._write(*words)

    def subscribe(self) -> None:
        """Ask for the server's role, then subscribe: in subscribe mode ROLE is not allowed."""
        self._write("ROLE")
        self._write("SUBSCRIBE", *self._channels)

    def ask(self) -> None:
        """Send a PING; its reply shows that the server is alive."""
        self._write("PING")

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio.Protocol)."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Wake the listener (asyncio.Protocol)."""
        if not self.lost.done():
            self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Pass on what was published (asyncio.Protocol)."""
        self.has_received = True
        self._replies.feed(data)
        try:
            while (reply := self._replies.gets()) is not False:
                self._take(reply)
        except (hiredis.ProtocolError, StoreUnavailableError):
            self.close()

    def _take(self, reply: Any) -> None:  # noqa: ANN401 - a reply is any RESP value
        if isinstance(reply, hiredis.ReplyError):
            # ROLE may be forbidden. Any other refusal leaves the channels unsubscribed, and the
            # error that answers PING must not count as life: close, and try again from the start.
            if str(reply).startswith(_REFUSALS) and "'role'" not in str(reply):
                raise StoreUnavailableError(str(reply))
            return
        if not isinstance(reply, list):
            return
        if reply[0] == b"message" and len(reply) == _MESSAGE_PARTS:
            self._on_message(reply[1].decode(), reply[2])
        elif reply[0] == b"subscribe":
            self._subscribed += 1
            if self._subscribed == len(self._channels):
                # Only now: what is published from here on arrives, so a read misses nothing.
                self._on_connect()
        elif not self._subscribed:
            # The only list before the first subscription is the reply to ROLE.
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
