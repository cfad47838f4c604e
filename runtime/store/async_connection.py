"""An asyncio connection to Redis that concurrent requests share.

Requests made in one turn of the loop go out in one write, and replies come back in order. So a
gateway process needs one connection however many callers it serves, and their round trips overlap.
A lost connection fails all requests without a reply, and the next request reconnects.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import hiredis

from runtime.errors import StoreError, StoreUnavailableError
from runtime.store.blocking_connection import command_words
from runtime.store.connection_protocol import ConnectionProtocol
from runtime.store.error_counters import REDIS_ERRORS
from runtime.store.redis_keys import Keys
from runtime.store.redis_url import RedisUrl, check_handshake, parse_address
from runtime.store.resp import NoScriptError, failure_of, is_demotion, pack
from runtime.store.scripts import Command
from runtime.store.sentinel import locate

T = TypeVar("T")


class AsyncConnection:
    """One shared connection of an event loop.

    Args:
        url: Where Redis is.
        timeout_s: Longest wait for one reply, and for connecting.
        keys: The partition that scripts run on.
    """

    def __init__(self, url: str, *, timeout_s: float = 1.0, keys: Keys | None = None) -> None:
        self.keys = keys or Keys()
        self._address = parse_address(url)
        self._timeout_s = timeout_s
        self._wire: ConnectionProtocol | None = None
        self._opening: asyncio.Task[ConnectionProtocol] | None = None

    async def run(self, call: Command[T]) -> T:
        """Send one command and return its parsed reply.

        Raises:
            StoreError: Redis is unavailable (StoreUnavailableError) or replies with an error.
        """
        try:
            reply = await self._exchange(pack(command_words(call, self.keys)))
        except NoScriptError:
            reply = await self._exchange(pack(command_words(call, self.keys, whole=True)))
        return call.parse(reply)

    def begin(self, command: bytes, receive: Callable[[Any], None]) -> bool:
        """Send a packed command now, so that Redis works while we go on; False: not connected.

        `receive` gets the raw reply, or the StoreError that `run` would raise, or NoScriptError.
        """
        wire = self._wire
        if wire is None or wire.closed:
            return False
        wire.begin(command, partial(self._receive, receive))
        wire.flush()
        return True

    def _receive(self, receive: Callable[[Any], None], reply: Any) -> None:  # noqa: ANN401 - whatever Redis says
        if isinstance(reply, hiredis.ReplyError):
            reply = self._failure_of(reply)
        if isinstance(reply, StoreError) and not isinstance(reply, NoScriptError):
            REDIS_ERRORS.count(reply)
        receive(reply)

    async def run_packed(self, command: bytes, *, whole: Callable[[], bytes]) -> Any:  # noqa: ANN401 - whatever Redis says
        """Send a script call that is packed already, and return its raw reply.

        Args:
            command: The call, with the script's hash.
            whole: Returns the call with the script's source, for a Redis that does not have it.

        Raises:
            StoreError: As in `run`.
        """
        try:
            return await self._exchange(command)
        except NoScriptError:  # nothing was run, so it is safe to send again
            return await self._exchange(whole())

    async def _exchange(self, command: bytes) -> Any:  # noqa: ANN401 - whatever Redis says
        try:
            wire = self._wire
            if wire is None or wire.closed:
                wire = await self._connect()
            reply = await _send(wire, command)
            if isinstance(reply, hiredis.ReplyError):
                raise self._failure_of(reply)
        except NoScriptError:
            raise
        except StoreError as error:
            # If the connection broke, it is unknown whether Redis has run the command.
            REDIS_ERRORS.count(error)
            raise
        return reply

    def _failure_of(self, reply: hiredis.ReplyError) -> StoreError:
        failure = failure_of(str(reply))
        if is_demotion(failure) and self._wire is not None:
            # The next request reconnects and so finds the new master.
            self._wire.fail("the server is no longer the master")
        return failure

    async def run_many(self, calls: Sequence[Command[Any]]) -> list[Any]:
        """Send several commands in one round trip; they are not a transaction."""
        return list(await asyncio.gather(*(self.run(call) for call in calls)))

    async def close(self) -> None:
        """Close the connection; the next request reconnects."""
        if self._wire is not None:
            self._wire.fail("closed")

    async def _connect(self) -> ConnectionProtocol:
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
            # Added before the callback of `shield`, so `_wire` is set before any request resumes.
            self._opening.add_done_callback(self._opened)
        # Requests share one attempt to connect: a cancelled one must not cancel it for the others.
        return await asyncio.shield(self._opening)

    def _opened(self, task: asyncio.Task[ConnectionProtocol]) -> None:
        self._opening = None
        if not task.cancelled() and task.exception() is None:
            self._wire = task.result()

    async def _open(self) -> ConnectionProtocol:
        try:
            async with asyncio.timeout(self._timeout_s):
                servers = await locate(self._address)
                for server in servers[:-1]:
                    with contextlib.suppress(StoreUnavailableError):
                        return await open_wire(server, self._timeout_s)
                return await open_wire(servers[-1], self._timeout_s)
        except TimeoutError as error:
            raise StoreUnavailableError("Redis cannot be reached: no answer") from error


async def open_wire(address: RedisUrl, timeout_s: float) -> ConnectionProtocol:
    """Connect and do the handshake.

    Raises:
        StoreError: Redis is unavailable, too old, a replica, or refuses the login.
    """
    loop = asyncio.get_running_loop()
    wire = ConnectionProtocol(loop, timeout_s)
    context = address.tls_context()
    try:
        if address.path is not None:
            await loop.create_unix_connection(lambda: wire, address.path)
        else:
            await loop.create_connection(lambda: wire, address.host, address.port, ssl=context)
        check_handshake(
            await asyncio.gather(*(_send(wire, pack(words)) for words in address.handshake()))
        )
    except OSError as error:
        wire.fail("no answer")
        raise StoreUnavailableError(
            f"Redis cannot be reached: {str(error) or 'no answer'}"
        ) from error
    except BaseException:
        wire.fail("refused")
        raise
    return wire


def _send(wire: ConnectionProtocol, command: bytes) -> asyncio.Future[Any]:
    """Queue one packed command; the future gets its raw reply, even an error reply."""
    future = asyncio.get_running_loop().create_future()
    wire.begin(command, partial(_settle, future))
    return future


def _settle(future: asyncio.Future[Any], reply: Any) -> None:  # noqa: ANN401 - whatever Redis says
    if future.done():
        return
    if isinstance(reply, StoreError):
        future.set_exception(reply)
        future.exception()  # marks it as retrieved, because the request may have been cancelled
    else:
        future.set_result(reply)
