"""A connection to Redis on a worker's loop: commands are pipelined, replies go to callbacks.

It connects at the first command, in a thread, because sentinels, TLS and the handshake may take
long; after a failure it reconnects at the next command. It never retries on its own: only the
caller knows whether a command may be sent twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import hiredis

from runtime.buffered_socket import Stream
from runtime.errors import StoreError, StoreUnavailableError
from runtime.loop import Loop
from runtime.store.blocking_connection import command_words, connect
from runtime.store.connection_protocol import ConnectionProtocol
from runtime.store.error_counters import REDIS_ERRORS
from runtime.store.redis_keys import Keys
from runtime.store.redis_url import parse_address
from runtime.store.resp import NoScriptError, failure_of, is_demotion, pack
from runtime.store.scripts import Command
from runtime.telemetry.background import CRASHES

T = TypeVar("T")
OnReply = Callable[[Any], object]
"""Gets a reply, or a StoreError."""
_BLOCK_GRACE_S = 2.0


class LoopConnection:
    """One connection; used in the loop's thread only.

    Args:
        url: Where Redis is.
        loop: The loop that runs it.
        timeout_s: Longest wait for a reply, and for connecting.
        keys: The partition that scripts run on.
    """

    def __init__(
        self, url: str, loop: Loop, *, timeout_s: float = 5.0, keys: Keys | None = None
    ) -> None:
        self.keys = keys or Keys()
        self._loop = loop
        self._address = parse_address(url)
        self._timeout_s, self._connect_s = self._address.limits_s(timeout_s)
        self._wire: ConnectionProtocol | None = None
        self._stream: Stream | None = None
        # They send nothing more, but replies to what they have sent are still due.
        self._finishing: list[ConnectionProtocol] = []
        self._opening: object | None = None
        self._waiting: list[tuple[bytes, OnReply, float]] = []  # until it is open

    def run(self, call: Command[T], receive: Callable[[T | StoreError], object]) -> None:
        """Send one command; `receive` gets its parsed reply or a StoreError."""
        self._begin(call, partial(_pass_on, call, receive))

    def run_many(
        self, calls: Sequence[Command[Any]], receive: Callable[[list[Any] | StoreError], object]
    ) -> None:
        """Send several commands in one write, not as a transaction; `receive` is called once.

        It gets all parsed replies or, if any failed, the first error, after the last reply.
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
        """Run BLPOP: `receive` gets (key, value) from the first list with an element, else None."""

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
        """Send `block` and a command together: Redis runs the command when the block has ended."""
        failure: list[StoreError] = []

        def note(reply: object) -> None:
            if isinstance(reply, StoreError):
                failure.append(reply)

        # The reply of the BLPOP comes first. If it failed, the command counts as failed, too.
        def take(reply: Any) -> None:  # noqa: ANN401 - any RESP value
            if failure and not isinstance(reply, StoreError):
                reply = failure[0]
            _pass_on(call, receive, reply)

        self.block(keys, timeout_s=timeout_s, receive=note)
        self._begin(call, take, blocks_s=timeout_s + _BLOCK_GRACE_S)

    def finish(self) -> None:
        """End commands that block in Redis; replies that are on their way still arrive.

        The next command opens another connection.
        """
        wire, self._wire = self._wire, None
        stream, self._stream = self._stream, None
        if wire is not None and stream is not None:
            wire.flush()  # before the sending side is closed
            stream.finish()
            self._finishing = [*(each for each in self._finishing if not each.closed), wire]
        # Commands that wait for the connection to open still go out, except those that would block.
        waiting, self._waiting = self._waiting, []
        for command, receive, blocks_s in waiting:
            if blocks_s:
                why = StoreUnavailableError("Redis: cancelled before it was sent")
                self._loop.call_soon(partial(receive, why))
            else:
                self._waiting.append((command, receive, blocks_s))

    def close(self) -> None:
        """Close; commands without a reply fail. The next command reconnects."""
        self._opening = None  # the thread that connects closes its socket when it sees this
        # Emptied before any callback runs: what a callback sends waits for the next connection.
        waiting, self._waiting = self._waiting, []
        for wire in self._finishing:
            wire.fail("closed")
        self._drop("closed")
        for _, receive, _ in waiting:
            self._take(receive, StoreUnavailableError("Redis: closed"))

    def _begin(self, call: Command[Any], receive: OnReply, *, blocks_s: float = 0.0) -> None:
        def take(reply: Any) -> None:  # noqa: ANN401 - any RESP value
            if isinstance(reply, NoScriptError):  # nothing was run: safe to send again
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
                # The next command reconnects and so finds the new master.
                self._drop("the server is no longer the master")
        if isinstance(reply, StoreError) and not isinstance(reply, NoScriptError):
            REDIS_ERRORS.count(reply)
        try:
            receive(reply)
        except Exception as error:  # noqa: BLE001 - the next replies are for other callers
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
        """Connect; this runs in a thread of its own."""
        try:
            found: Any = connect(self._address, self._connect_s)
        except StoreError as error:
            found = error
        except Exception as error:  # noqa: BLE001 - outermost: the callers must get an error
            found = StoreUnavailableError(f"Redis at {self._address.name}: {error}")
        if opening is not self._opening and not isinstance(found, StoreError):
            found[0].close()  # closed meanwhile, and the loop may have ended
            return
        self._loop.call_soon_threadsafe(partial(self._opened, opening, found))

    def _opened(self, opening: object, found: Any) -> None:  # noqa: ANN401 - socket, name or error
        if opening is not self._opening:  # closed meanwhile
            if not isinstance(found, StoreError):
                found[0].close()
            return
        # Reset before any callback runs: a callback may send a command, which connects again.
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
        # Before anything new: the commands that waited go out first, in their order.
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
