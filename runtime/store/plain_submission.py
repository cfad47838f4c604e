"""Plain calls of one function, born together: a few share a command.

A gateway under load hears of many calls in one turn of its loop, and Redis makes eight in
one script at a third of what a script for each costs. Eight are sent at once, so that Redis
works while the gateway goes on; what is left goes at the end of the turn, so nobody waits for
company.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any

from runtime.errors import StoreError
from runtime.store.line import command_words
from runtime.store.multiplexer import Multiplexer
from runtime.store.packing import pack
from runtime.store.submission_calls import Submitted, submit_plain

_MOST_TOGETHER = 8
_MOST_BYTES_TOGETHER = 32_768
_WORDS_EACH = 2

Entry = tuple[bytes, asyncio.Future[Submitted]]


class PlainSubmission:
    """Submits calls that wish nothing, of one version of one function.

    Args:
        store: Where they are sent.
        waiter: The gateway that is told of their ends; empty for none.
        max_waiting: Refuse what is more; 0 for any number.
    """

    def __init__(
        self,
        store: Multiplexer,
        *,
        function: str,
        queue: str,
        version: str,
        priority: int,
        max_waiting: int,
        waiter: str = "",
    ) -> None:
        call = submit_plain(
            function=function,
            queue=queue,
            version=version,
            priority=priority,
            max_waiting=max_waiting,
            waiter=waiter,
        )
        words = command_words(call, store.keys)
        self._store = store
        self._parse = call.parse
        self._fixed_words = len(words)
        self._fixed = _bulk(*words)
        self._fixed_whole = _bulk(*command_words(call, store.keys, whole=True))
        self._entries: list[Entry] = []
        self._size = 0
        self._sending: set[asyncio.Task[None]] = set()

    def submit(self, invocation_id: bytes, arguments: bytes) -> asyncio.Future[Submitted]:
        """Line up one call of a fresh id; the future gets NEW or FULL (without the id).

        The future raises StoreError: Redis is away or answers an error.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Submitted] = loop.create_future()
        if not self._entries:
            self._start(self._send_lined_up())
        packed = b"$%d\r\n%b\r\n$%d\r\n%b\r\n" % (
            len(invocation_id),
            invocation_id,
            len(arguments),
            arguments,
        )
        self._entries.append((packed, future))
        self._size += len(packed)
        if len(self._entries) >= _MOST_TOGETHER or self._size >= _MOST_BYTES_TOGETHER:
            self._send()
        return future

    async def _send_lined_up(self) -> None:
        """Send at the loop's next turn what has not been sent by then."""
        if self._entries:
            self._send()

    def _send(self) -> None:
        entries, self._entries, self._size = self._entries, [], 0
        count = b"*%d\r\n" % (self._fixed_words + _WORDS_EACH * len(entries))
        tail = b"".join([packed for packed, _ in entries])
        command = count + self._fixed + tail
        begun = self._store.begin(command)
        reply = self._store.run_packed(
            command, whole=lambda: count + self._fixed_whole + tail, begun=begun
        )
        self._start(self._tell(entries, reply))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _tell(self, entries: list[Entry], coming: Awaitable[Any]) -> None:
        """Tell each caller what became of his call."""
        try:
            reply = await coming
        except StoreError as error:
            for _, future in entries:
                if not future.done():
                    future.set_exception(error)
            return
        for submitted, count_of_it in self._parse(reply):
            for _, future in entries[:count_of_it]:
                if not future.done():
                    future.set_result(submitted)
            entries = entries[count_of_it:]


def _bulk(*words: bytes | str | int) -> bytes:
    """Return the words of a command without their count."""
    return pack(words).partition(b"\r\n")[2]
