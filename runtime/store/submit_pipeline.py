"""Submit calls of one function; calls that arrive together share a script.

Under load a gateway gets many calls in one turn of its loop, and Redis creates eight in one script
at a third of the cost of eight scripts. Eight are sent at once, so that Redis works while the
gateway goes on. The rest is sent at the end of the turn, so no call waits for later ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from runtime.errors import StoreError
from runtime.store.async_connection import AsyncConnection
from runtime.store.blocking_connection import command_words
from runtime.store.resp import NoScriptError, pack
from runtime.store.scripts import Command
from runtime.store.submission_commands import Parts, Submitted

_MOST_TOGETHER = 8
_MOST_BYTES_TOGETHER = 32_768
_WORDS_EACH = 3  # besides the words of its parts, which are fewer than a hundred
_TEN = 10


def pack_parts(parts: Parts) -> bytes:
    """Return the words of a call's parts in RESP, without their count."""
    if not parts:
        return b""
    packed = pack(parts)
    return packed[packed.index(b"\n") + 1 :]


class SubmitPipeline:
    """Submits calls of one version of one function.

    Args:
        store: The connection to send them on.
        call: What they are calls of: `submit` without entries.
    """

    def __init__(self, store: AsyncConnection, call: Command[list[Submitted]]) -> None:
        words = command_words(call, store.keys)
        self._store = store
        self._parse = call.parse
        self._fixed_words = len(words)
        self._fixed = _bulk(*words)
        self._fixed_whole = _bulk(*command_words(call, store.keys, whole=True))
        self._packed: list[bytes] = []
        self._waiting: list[asyncio.Future[Submitted]] = []
        self._words = 0
        self._size = 0
        self._sending: set[asyncio.Task[None]] = set()

    def submit(
        self, invocation_id: bytes, arguments: bytes, parts: bytes = b"", part_words: int = 0
    ) -> asyncio.Future[Submitted]:
        """Queue one call with a new id; the future gets its answer.

        The future fails with StoreError if Redis is unavailable or replies with an error.

        Args:
            invocation_id: A new id.
            arguments: As JSON.
            parts: Its options, as `pack_parts` returns them.
            part_words: How many words the options have.
        """
        loop = asyncio.get_running_loop()
        if not self._packed:
            loop.call_soon(self._send)
        head = b"$%d\r\n%b\r\n$%d\r\n" % (len(invocation_id), invocation_id, len(arguments))
        tail = b"\r\n$%d\r\n%d\r\n%b" % (1 if part_words < _TEN else 2, part_words, parts)
        answer = loop.create_future()
        self._packed += (head, arguments, tail)
        self._waiting.append(answer)
        self._words += _WORDS_EACH + part_words
        self._size += len(head) + len(arguments) + len(tail)
        if len(self._waiting) >= _MOST_TOGETHER or self._size >= _MOST_BYTES_TOGETHER:
            self._send()
        return answer

    def _send(self) -> None:
        """Send the queued calls: as soon as they are enough, or at the end of the turn."""
        waiting = self._waiting
        if not waiting:
            return
        words, tail = self._words, self._packed
        self._packed, self._waiting, self._words, self._size = [], [], 0, 0

        def receive(reply: Any) -> None:  # noqa: ANN401 - whatever Redis says
            if isinstance(reply, NoScriptError):
                self._send_again(words, tail, waiting)
            else:
                self._report(waiting, reply)

        if not self._store.begin(self._command(self._fixed, words, tail), receive):
            self._send_again(words, tail, waiting)

    def _command(self, fixed: bytes, words: int, tail: Sequence[bytes]) -> bytes:
        # Joined once: formatting would copy long arguments again and again.
        return b"".join((b"*%d\r\n" % (self._fixed_words + words), fixed, *tail))

    def _send_again(
        self, words: int, tail: Sequence[bytes], waiting: list[asyncio.Future[Submitted]]
    ) -> None:
        """Send what could not be sent at once: Redis is not connected or has no such script."""
        task = asyncio.get_running_loop().create_task(self._run(words, tail, waiting))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _run(
        self, words: int, tail: Sequence[bytes], waiting: list[asyncio.Future[Submitted]]
    ) -> None:
        try:
            reply = await self._store.run_packed(
                self._command(self._fixed, words, tail),
                whole=lambda: self._command(self._fixed_whole, words, tail),
            )
        except StoreError as error:
            reply = error
        self._report(waiting, reply)

    def _report(self, waiting: list[asyncio.Future[Submitted]], reply: Any) -> None:  # noqa: ANN401 - whatever Redis says
        """Give each caller its answer; a caller that has gone gets none."""
        if isinstance(reply, StoreError):
            for answer in waiting:
                if not answer.done():
                    answer.set_exception(reply)
            return
        for answer, submitted in zip(waiting, self._parse(reply), strict=True):
            if not answer.done():
                answer.set_result(submitted)


def _bulk(*words: bytes | str | int) -> bytes:
    """Return the words of a command in RESP, without their count."""
    return pack(words).partition(b"\r\n")[2]
