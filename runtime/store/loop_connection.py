"""A connection to Redis on a worker's loop: calls go out together, replies come to callbacks.

It opens at the first call, in a thread, since looking for the server, TLS and the handshake may
take long; it opens again at the next call after a failure. It never retries by itself: whether a
call may be sent twice is its caller's knowledge.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import hiredis

from runtime.errors import StoreError, StoreUnavailableError
from runtime.loop import Loop
from runtime.store.blocking_connection import command_words, connect
from runtime.store.connection_protocol import ConnectionProtocol
from runtime.store.error_counters import REDIS_ERRORS
from runtime.store.redis_keys import Keys
from runtime.store.redis_url import parse_address
from runtime.store.resp import NoScriptError, failure_of, is_demotion, pack
from runtime.store.scripts import Command
from runtime.stream import Stream
from runtime.telemetry.background import CRASHES

T = TypeVar("T")
OnReply = Callable[[Any], object]
"""Gets a parsed reply, or a StoreError."""
_WATCHED_TIMEOUT_S = 2.0
_WATCHED_CONNECT_S = 1.0
_BLOCK_GRACE_S = 2.0


class LoopConnection:
    """One connection; used in the loop's thread only.

    Args:
        url: Where Redis is.
        loop: Where it lives.
        timeout_s: Longest wait for an answer, and for connecting.
        keys: The partition that scripts run on.
    """

    def __init__(
        self, url: str, loop: Loop, *, timeout_s: float = 5.0, keys: Keys | None = None
    ) -> None:
        self.keys = keys or Keys()
        self._loop = loop
        self._address = parse_address(url)
        self._timeout_s = self._connect_s = timeout_s
        if self._address.watch is not None:  # another may have taken over: doubt it soon
            self._timeout_s = min(timeout_s, _WATCHED_TIMEOUT_S)
            self._connect_s = min(timeout_s, _WATCHED_CONNECT_S)
        self._wire: ConnectionProtocol | None = None
        self._stream: Stream | None = None
        self._finishing: list[
            ConnectionProtocol
        ] = []  # nothing more is sent there, what was sent is answered
        self._opening: object | None = None
        self._waiting: list[tuple[bytes, OnReply, float]] = []  # until it is open

    def run(self, call: Command[T], receive: Callable[[T | StoreError], object]) -> None:
        """Send one call; `receive` gets its parsed reply, or why there is none."""
        self._begin(call, partial(_pass_on, call, receive))

    def run_many(
        self, calls: Sequence[Command[Any]], receive: Callable[[list[Any] | StoreError], object]
    ) -> None:
        """Send several calls in one write, not one transaction; `receive` gets all replies, once.

        Where one of them fails it gets the first failure, when all are heard.
        """
        replies: list[Any] = [None] * len(calls)
        left = len(calls)

        def take(index: int, reply: Any) -> None:  # noqa: ANN401 - any RESP value
            nonlocal left
            replies[index] = reply
            left -= 1
            if not left:
                receive(_parsed(calls, replies))

        for index, call in enumerate(calls):
            self._begin(call, partial(take, index))

    def block(
        self,
        keys: Sequence[str],
        *,
        timeout_s: float,
        receive: Callable[[tuple[str, bytes] | StoreError | None], object],
    ) -> None:
        """BLPOP: `receive` gets (key, value) as soon as one of the lists has one, else None."""

        def take(reply: Any) -> None:  # noqa: ANN401 - any RESP value
            is_pair = isinstance(reply, list)
            receive((reply[0].decode(), reply[1]) if is_pair else reply)

        self._send(pack(("BLPOP", *keys, f"{timeout_s:.3f}")), take, timeout_s + _BLOCK_GRACE_S)

    def block_and_run(
        self,
        keys: Sequence[str],
        call: Command[T],
        *,
        timeout_s: float,
        receive: Callable[[T | StoreError], object],
    ) -> None:
        """Wait as `block` does, then run a call: Redis does so itself, in the same round trip."""
        failure: list[StoreError] = []

        def note(reply: object) -> None:
            if isinstance(reply, StoreError):
                failure.append(reply)

        def take(reply: Any) -> None:  # noqa: ANN401 - any RESP value
            if failure and not isinstance(reply, StoreError):
                reply = failure[0]
            _pass_on(call, receive, reply)

        self.block(keys, timeout_s=timeout_s, receive=note)
        self._begin(call, take, blocks_s=timeout_s + _BLOCK_GRACE_S)

    def finish(self) -> None:
        """End what waits in Redis; a reply that is on its way still comes.

        The next call opens another connection.
        """
        wire, self._wire = self._wire, None
        stream, self._stream = self._stream, None
        if wire is not None and stream is not None:
            wire.flush()
            stream.finish()
            self._finishing = [*(each for each in self._finishing if not each.closed), wire]
        waiting, self._waiting = self._waiting, []
        for command, receive, blocks_s in waiting:
            if blocks_s:
                why = StoreUnavailableError("Redis: ended before it was sent")
                self._loop.call_soon(partial(receive, why))
            else:
                self._waiting.append((command, receive, blocks_s))

    def close(self) -> None:
        """Close; what is under way is told so. The next call opens it again."""
        self._opening = None
        waiting, self._waiting = self._waiting, []
        for wire in self._finishing:
            wire.fail("closed")
        self._drop("closed")
        for _, receive, _ in waiting:
            self._take(receive, StoreUnavailableError("Redis: closed"))

    def _begin(self, call: Command[Any], receive: OnReply, *, blocks_s: float = 0.0) -> None:
        def take(reply: Any) -> None:  # noqa: ANN401 - any RESP value
            if isinstance(reply, NoScriptError):  # nothing was run
                self._send(pack(command_words(call, self.keys, whole=True)), receive, blocks_s)
            else:
                receive(reply)

        self._send(pack(command_words(call, self.keys)), take, blocks_s)

    def _send(self, command: bytes, receive: OnReply, blocks_s: float) -> None:
        wire = self._wire
        if wire is None or wire.closed:
            self._waiting.append((command, receive, blocks_s))
            self._open()
            return
        wire.begin(command, partial(self._take, receive), blocks_s=blocks_s)

    def _take(self, receive: OnReply, reply: Any) -> None:  # noqa: ANN401 - any RESP value
        if isinstance(reply, hiredis.ReplyError):
            reply = failure_of(str(reply))
            if is_demotion(reply):
                self._drop("the server is no master any more")
        if isinstance(reply, StoreError) and not isinstance(reply, NoScriptError):
            REDIS_ERRORS.count(reply)
        try:
            receive(reply)
        except Exception as error:  # noqa: BLE001 - the replies behind it belong to others
            CRASHES.note("loop_line", error)

    def _open(self) -> None:
        if self._opening is None:
            opening = self._opening = object()
            connect_ = partial(self._connect, opening)
            try:
                threading.Thread(target=connect_, name="connect", daemon=True).start()
            except RuntimeError as error:  # the system has no more threads for now
                failure = StoreUnavailableError(f"Redis at {self._address.name}: {error}")
                self._loop.call_soon(partial(self._opened, opening, failure))

    def _connect(self, opening: object) -> None:
        """In a thread of its own."""
        try:
            found: Any = connect(self._address, self._connect_s)
        except StoreError as error:
            found = error
        except Exception as error:  # noqa: BLE001 - outermost: whoever waits must hear of it
            found = StoreUnavailableError(f"Redis at {self._address.name}: {error}")
        if opening is not self._opening and not isinstance(found, StoreError):
            found[0].close()  # nobody waits for it any more, and the loop may be over
            return
        self._loop.call_soon_threadsafe(partial(self._opened, opening, found))

    def _opened(self, opening: object, found: Any) -> None:  # noqa: ANN401 - socket, name or error
        if opening is not self._opening:  # closed meanwhile
            if not isinstance(found, StoreError):
                found[0].close()
            return
        self._opening = None
        waiting, self._waiting = self._waiting, []
        if isinstance(found, StoreError):
            for _, receive, _ in waiting:
                self._take(receive, found)
            return
        sock, name = found
        wire = ConnectionProtocol(self._loop, self._timeout_s)

        def lose(error: OSError | None) -> None:
            wire.fail(f"at {name}: {error or 'closed by the server'}")

        self._stream = Stream(
            self._loop,
            sock,
            on_data=wire.data_received,
            on_closed=lose,
            would_block=_what_blocks(sock),
        )
        wire.connection_made(self._stream)
        self._wire = wire
        for command, receive, blocks_s in waiting:
            self._send(command, receive, blocks_s)

    def _drop(self, why: str) -> None:
        wire, self._wire = self._wire, None
        self._stream = None
        if wire is not None:
            wire.fail(why)


def _what_blocks(sock: Any) -> tuple[type[OSError], ...]:  # noqa: ANN401 - a socket of either kind
    if not hasattr(sock, "pending"):
        return (BlockingIOError,)
    import ssl  # noqa: PLC0415 - only where TLS is spoken

    return (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def _pass_on(call: Command[Any], receive: OnReply, reply: Any) -> None:  # noqa: ANN401 - any RESP value
    receive(reply if isinstance(reply, StoreError) else call.parse(reply))


def _parsed(calls: Sequence[Command[Any]], replies: list[Any]) -> list[Any] | StoreError:
    for reply in replies:
        if isinstance(reply, StoreError):
            return reply
    return [call.parse(reply) for call, reply in zip(calls, replies, strict=True)]
