"""Hearing from Redis at the gateway: one connection in subscribe mode.

It reconnects for ever. What was published while it was away is lost, so its
owner is told of every (re)connection and looks again at what it waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Sequence
from typing import Any

import hiredis

from runtime.errors import StoreError, StoreUnavailableError
from runtime.store.address import Address, check_role, parse_address
from runtime.store.packing import pack
from runtime.store.sentinel import locate

_RETRY_S = 0.25
_PING_S = 10.0
_WATCHED_PING_S = 1.0
_MESSAGE_PARTS = 3


class Subscription:
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
        self._subscribed = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin listening in the running loop."""
        self._task = asyncio.create_task(self._listen_for_ever())

    async def stop(self) -> None:
        """Stop listening; safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _listen_for_ever(self) -> None:
        while True:
            with contextlib.suppress(OSError, StoreError, TimeoutError, EOFError):
                await self._listen()
            await asyncio.sleep(_RETRY_S)

    async def _listen(self) -> None:
        reader, writer = await asyncio.wait_for(_open(self._address), self._timeout_s)
        try:
            writer.write(pack(("ROLE",)) + pack(("SUBSCRIBE", *self._channels)))
            replies = hiredis.Reader()
            self._subscribed = 0
            idle = False
            while True:
                try:
                    data = await asyncio.wait_for(reader.read(65_536), self._ping_s)
                except TimeoutError:
                    if idle:
                        raise StoreUnavailableError("no answer to PING") from None
                    idle = True
                    writer.write(pack(("PING",)))
                    continue
                if not data:
                    return
                idle = False
                replies.feed(data)
                while (reply := replies.gets()) is not False:
                    if isinstance(reply, list):
                        self._hear(reply)
        finally:
            self._on_disconnect()
            writer.close()

    def _hear(self, reply: list[Any]) -> None:
        if reply[0] == b"subscribe":
            self._subscribed += 1
            if self._subscribed == len(self._channels):
                self._on_connect()
        elif reply[0] == b"message" and len(reply) == _MESSAGE_PARTS:
            self._on_message(reply[1].decode(), reply[2])
        elif not self._subscribed:
            check_role(reply)


async def _open(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    servers = await locate(address)
    for server in servers[:-1]:
        with contextlib.suppress(OSError):
            return await _open_at(server)
    return await _open_at(servers[-1])


async def _open_at(server: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if server.path is not None:
        reader, writer = await asyncio.open_unix_connection(server.path)
    else:
        context = ssl.create_default_context() if server.tls else None
        reader, writer = await asyncio.open_connection(server.host, server.port, ssl=context)
    writer.write(b"".join(pack(words) for words in server.authentication()))
    return reader, writer
