"""Plain calls of one function, born together: a few share a command.

A gateway under load hears of many calls in one turn of its loop, and Redis makes eight in
one script at a third of what a script for each costs. Eight are sent at once, so that Redis
works while the gateway goes on; what is left goes at the end of the turn, so nobody waits for
company.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from runtime.errors import StoreError
from runtime.store.failures import NoScriptError
from runtime.store.line import command_words
from runtime.store.multiplexer import Multiplexer
from runtime.store.packing import pack
from runtime.store.submission_calls import Submitted, submit_plain

_log = structlog.get_logger(__name__)
_MOST_TOGETHER = 8
_MOST_BYTES_TOGETHER = 32_768
_WORDS_EACH = 2

Hear = Callable[[Submitted | StoreError], None]


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
        self._packed: list[bytes] = []
        self._hearers: list[Hear] = []
        self._size = 0
        self._sending: set[asyncio.Task[None]] = set()

    def submit(self, invocation_id: bytes, arguments: bytes, hear: Hear) -> None:
        """Line up one call of a fresh id.

        `hear` gets NEW or FULL (without the id) or why it failed: Redis is away, or answered
        an error.
        """
        if not self._packed:
            asyncio.get_running_loop().call_soon(self._send)
        packed = b"$%d\r\n%b\r\n$%d\r\n%b\r\n" % (
            len(invocation_id),
            invocation_id,
            len(arguments),
            arguments,
        )
        self._packed.append(packed)
        self._hearers.append(hear)
        self._size += len(packed)
        if len(self._packed) >= _MOST_TOGETHER or self._size >= _MOST_BYTES_TOGETHER:
            self._send()

    def _send(self) -> None:
        """Send what is lined up: when it is enough, or at the end of the turn."""
        hearers = self._hearers
        if not hearers:
            return
        tail = b"".join(self._packed)
        self._packed, self._hearers, self._size = [], [], 0

        def hear(reply: Any) -> None:  # noqa: ANN401 - whatever Redis says
            if isinstance(reply, NoScriptError):
                self._send_slowly(tail, hearers)
            else:
                self._tell(hearers, reply)

        if not self._store.begin(self._command(self._fixed, tail, hearers), hear):
            self._send_slowly(tail, hearers)

    def _command(self, fixed: bytes, tail: bytes, hearers: list[Hear]) -> bytes:
        return b"*%d\r\n%b%b" % (self._fixed_words + _WORDS_EACH * len(hearers), fixed, tail)

    def _send_slowly(self, tail: bytes, hearers: list[Hear]) -> None:
        """Send what cannot be sent at once: Redis is not connected, or lacks the script."""
        task = asyncio.get_running_loop().create_task(self._run(tail, hearers))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _run(self, tail: bytes, hearers: list[Hear]) -> None:
        try:
            reply = await self._store.run_packed(
                self._command(self._fixed, tail, hearers),
                whole=lambda: self._command(self._fixed_whole, tail, hearers),
            )
        except StoreError as error:
            reply = error
        self._tell(hearers, reply)

    def _tell(self, hearers: list[Hear], reply: Any) -> None:  # noqa: ANN401 - whatever Redis says
        """Tell each caller what became of his call; what fails for one is not for the others."""
        outcomes: Sequence[tuple[Submitted | StoreError, int]]
        outcomes = [(reply, len(hearers))] if isinstance(reply, StoreError) else self._parse(reply)
        told = iter(hearers)
        for outcome, count in outcomes:
            for _, hear in zip(range(count), told, strict=False):
                try:
                    hear(outcome)
                except Exception:  # noqa: BLE001 - the outermost frame of a caller's request
                    _log.exception("caller_not_told")


def _bulk(*words: bytes | str | int) -> bytes:
    """Return the words of a command without their count."""
    return pack(words).partition(b"\r\n")[2]
