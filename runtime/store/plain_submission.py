"""Plain calls of one function, born together: those of one turn of the loop share a command.

A gateway under load hears of many calls at once, and Redis makes a hundred in one script at
a fraction of what a script for each would cost. A call alone goes at once; nobody waits for
company.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from runtime.errors import StoreError
from runtime.store.line import command_words
from runtime.store.multiplexer import Multiplexer
from runtime.store.packing import pack
from runtime.store.submission_calls import Submitted, submit_plain

_MOST_TOGETHER = 100
_MOST_BYTES_TOGETHER = 65_536
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
        self._sending: set[asyncio.Task[None]] = set()

    def submit(self, invocation_id: bytes, arguments: bytes) -> asyncio.Future[Submitted]:
        """Line up one call of a fresh id; the future gets NEW or FULL (without the id).

        The future raises StoreError: Redis is away or answers an error.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Submitted] = loop.create_future()
        if not self._entries:
            task = loop.create_task(self._send_lined_up())
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        packed = b"$%d\r\n%b\r\n$%d\r\n%b\r\n" % (
            len(invocation_id),
            invocation_id,
            len(arguments),
            arguments,
        )
        self._entries.append((packed, future))
        return future

    async def _send_lined_up(self) -> None:
        entries, self._entries = self._entries, []
        parts = list(_split(entries))
        if len(parts) == 1:
            await self._send(parts[0])
        else:
            await asyncio.gather(*map(self._send, parts))

    async def _send(self, entries: list[Entry]) -> None:
        count = b"*%d\r\n" % (self._fixed_words + _WORDS_EACH * len(entries))
        tail = b"".join([packed for packed, _ in entries])
        try:
            reply = await self._store.run_packed(
                count + self._fixed + tail, whole=lambda: count + self._fixed_whole + tail
            )
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


def _split(entries: list[Entry]) -> Iterator[list[Entry]]:
    """Cut into parts that do not hold up Redis for long."""
    part: list[Entry] = []
    size = 0
    for entry in entries:
        size += len(entry[0])
        if part and (len(part) == _MOST_TOGETHER or size > _MOST_BYTES_TOGETHER):
            yield part
            part, size = [], len(entry[0])
        part.append(entry)
    yield part


def _bulk(*words: bytes | str | int) -> bytes:
    """Return the words of a command without their count."""
    return pack(words).partition(b"\r\n")[2]
