"""Heads of requests that may be taken without the application, judged once and remembered.

A client that keeps its connection sends the same head again and again. What was parsed
once, byte for byte, between two messages, is not parsed anew: the same bytes say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gateway.serving.exchange import Exchange
from gateway.serving.parsing import Scope

Taker = Callable[[Exchange], bool]
Judge = Callable[[Scope], Taker | None]

_END = b"\r\n\r\n"
_LONGEST = 2048
_MOST = 512


class KnownHead(NamedTuple):
    """What a head says; `take` begins a request once its body is whole, if it fits."""

    scope: Scope
    take: Taker
    keep_alive: bool
    body_bytes: int


class KnownHeads:
    """Judges heads for all connections of a process.

    Args:
        judge: Says from its head whether a request may be taken; None if not.
    """

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self._by_bytes: dict[bytes, KnownHead] = {}

    def recall(self, data: bytes) -> tuple[KnownHead, bytes] | None:
        """Return the head and the body if `data` is one whole request with a known head."""
        end = data.find(_END) + len(_END)
        known = self._by_bytes.get(data[:end])
        if known is None or len(data) - end != known.body_bytes:
            return None
        return known, data[end:]

    def learn(self, data: bytes, exchanges: Sequence[Exchange]) -> None:
        """Remember the head of a request, if `data` was that one, no more and no less.

        Args:
            data: What came between two messages, and was parsed.
            exchanges: What has begun by it.
        """
        if len(exchanges) != 1:
            return
        [exchange] = exchanges
        if exchange.take is None or exchange.task is not None or not exchange.body_complete:
            return
        length = dict(exchange.scope["headers"]).get(b"content-length")
        if length is None:
            return
        head = data[: len(data) - int(length)]
        if len(head) > _LONGEST or not head.endswith(_END):
            return
        if len(self._by_bytes) >= _MOST:
            self._by_bytes.clear()
        self._by_bytes[head] = KnownHead(
            exchange.scope, exchange.take, exchange.keep_alive, len(data) - len(head)
        )
