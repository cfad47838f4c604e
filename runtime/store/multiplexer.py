"""An asyncio connection to Redis that concurrent requests share.

Requests made in one turn of the loop leave in one write, replies come back in
order; so a gateway process needs one connection however many callers it serves,
and their round trips overlap. A lost connection fails all that was under way at
once, and the next request opens a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar, cast

import hiredis

from runtime.errors import StoreError, StoreUnavailableError
from runtime.store.address import Address, check_handshake, parse_address
from runtime.store.failures import NoScriptError, failure_of, is_demotion
from runtime.store.keys import Keys
from runtime.store.line import command_words
from runtime.store.packing import pack
from runtime.store.scripts import Call
from runtime.store.sentinel import locate
from runtime.store.trouble import TROUBLE

T = TypeVar("T")


class Multiplexer:
    """One shared connection of an event loop.

    Args:
        url: Where Redis is.
        timeout_s: Longest wait for one answer, and for connecting.
        keys: The partition that scripts run on.
    """

    def __init__(self, url: str, *, timeout_s: float = 1.0, keys: Keys | None = None) -> None:
        self.keys = keys or Keys()
        self._address = parse_address(url)
        self._timeout_s = timeout_s
        self._wire: Wire | None = None
        self._opening: asyncio.Task[Wire] | None = None

    async def run(self, call: Call[T]) -> T:
        """Send one call and return its parsed reply.

        Raises:
            StoreError: Redis is away (StoreUnavailableError) or answers an error.
        """
        try:
            reply = await self._exchange(pack(command_words(call, self.keys)))
        except NoScriptError:
            reply = await self._exchange(pack(command_words(call, self.keys, whole=True)))
        return call.parse(reply)

    def begin(self, command: bytes, hear: Callable[[Any], None]) -> bool:
        """Send a packed command now, so that Redis works while we go on; False: not connected.

        `hear` gets the raw reply, or a StoreError: as `run`, but also NoScriptError.
        """
        wire = self._wire
        if wire is None or wire.closed:
            return False
        wire.begin(command, partial(self._hear, hear))
        wire.flush()
        return True

    def _hear(self, hear: Callable[[Any], None], reply: Any) -> None:  # noqa: ANN401 - whatever Redis says
        if isinstance(reply, hiredis.ReplyError):
            reply = self._failure_of(reply)
        if isinstance(reply, StoreError) and not isinstance(reply, NoScriptError):
            TROUBLE.count(reply)
        hear(reply)

    async def run_packed(self, command: bytes, *, whole: Callable[[], bytes]) -> Any:  # noqa: ANN401 - whatever Redis says
        """Send a script's call that is packed already, and return its raw reply.

        Args:
            command: By the script's hash.
            whole: The same with its source, for a Redis that does not hold it.

        Raises:
            StoreError: As `run`.
        """
        try:
            return await self._exchange(command)
        except NoScriptError:
            return await self._exchange(whole())

    async def _exchange(self, command: bytes) -> Any:  # noqa: ANN401 - whatever Redis says
        try:
            wire = self._wire
            if wire is None or wire.closed:
                wire = await self._connect()
            reply = await wire.send(command)
            if isinstance(reply, hiredis.ReplyError):
                raise self._failure_of(reply)
        except NoScriptError:
            raise
        except StoreError as error:
            TROUBLE.count(error)
            raise
        return reply

    def _failure_of(self, reply: hiredis.ReplyError) -> StoreError:
        failure = failure_of(str(reply))
        if is_demotion(failure) and self._wire is not None:
            self._wire.fail("the server is no master any more")
        return failure

    async def run_many(self, calls: Sequence[Call[Any]]) -> list[Any]:
        """Send several calls in one round trip; not one transaction."""
        return list(await asyncio.gather(*(self.run(call) for call in calls)))

    async def close(self) -> None:
        """Close the connection; the next request opens it again."""
        if self._wire is not None:
            self._wire.fail("closed")

    async def _connect(self) -> Wire:
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._opened)
        return await asyncio.shield(self._opening)

    def _opened(self, task: asyncio.Task[Wire]) -> None:
        self._opening = None
        if not task.cancelled() and task.exception() is None:
            self._wire = task.result()

    async def _open(self) -> Wire:
        try:
            async with asyncio.timeout(self._timeout_s):
                servers = await locate(self._address)
                for server in servers[:-1]:
                    with contextlib.suppress(StoreUnavailableError):
                        return await open_wire(server, self._timeout_s)
                return await open_wire(servers[-1], self._timeout_s)
        except TimeoutError as error:
            raise StoreUnavailableError("Redis cannot be reached: no answer") from error


async def open_wire(address: Address, timeout_s: float) -> Wire:
    """Connect and shake hands.

    Raises:
        StoreError: Redis is away, too old, a replica, or refuses us.
    """
    loop = asyncio.get_running_loop()
    wire = Wire(loop, timeout_s)
    context = address.tls_context()
    try:
        if address.path is not None:
            await loop.create_unix_connection(lambda: wire, address.path)
        else:
            await loop.create_connection(lambda: wire, address.host, address.port, ssl=context)
        check_handshake(
            await asyncio.gather(*(wire.send(pack(words)) for words in address.handshake()))
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


class Wire(asyncio.Protocol):
    """The protocol of one connection: a queue of who hears the replies, which come in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        self.closed = False
        self._loop = loop
        self._timeout_s = timeout_s
        self._reader = hiredis.Reader()
        self._waiting: deque[tuple[Callable[[Any], None], float]] = deque()
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None

    def send(self, command: bytes) -> asyncio.Future[Any]:
        """Queue one packed command; the future gets its raw reply, error replies included."""
        future = self._loop.create_future()
        self.begin(command, partial(_settle, future))
        return future

    def begin(self, command: bytes, hear: Callable[[Any], None]) -> None:
        """Queue one packed command; `hear` gets its raw reply, or a StoreUnavailableError."""
        if self.closed:
            hear(StoreUnavailableError("the connection to Redis is closed"))
            return
        self._waiting.append((hear, self._loop.time() + self._timeout_s))
        if not self._unsent:
            self._loop.call_soon(self.flush)
        self._unsent.append(command)
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout_s, self._check_oldest)

    def fail(self, why: str) -> None:
        """Close, and tell all that wait; safe to call twice."""
        if self.closed:
            return
        self.closed = True
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
        waiting, self._waiting = self._waiting, deque()
        for hear, _ in waiting:
            hear(StoreUnavailableError(f"Redis: {why}"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write (asyncio.Protocol)."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what was under way (asyncio.Protocol)."""
        self.fail(str(exc or "connection closed by the server"))

    def data_received(self, data: bytes) -> None:
        """Hand out the replies that are complete (asyncio.Protocol)."""
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                hear, _ = self._waiting.popleft()
                hear(reply)
        except (hiredis.ProtocolError, IndexError) as error:
            self.fail(f"broken reply: {error}")

    def flush(self) -> None:
        """Write what is queued; else it is written at the end of the loop's turn."""
        unsent, self._unsent = self._unsent, []
        if unsent and self._transport is not None and not self.closed:
            self._transport.write(b"".join(unsent) if len(unsent) > 1 else unsent[0])

    def _check_oldest(self) -> None:
        self._watch = None
        if not self._waiting:
            return
        left_s = self._waiting[0][1] - self._loop.time()
        if left_s <= 0:
            self.fail(f"no answer within {self._timeout_s:g} s")
        else:
            self._watch = self._loop.call_later(left_s, self._check_oldest)


def _settle(future: asyncio.Future[Any], reply: Any) -> None:  # noqa: ANN401 - whatever Redis says
    if future.done():
        return
    if isinstance(reply, StoreError):
        future.set_exception(reply)
        future.exception()  # perhaps nobody asks any more, and that is no fault
    else:
        future.set_result(reply)
