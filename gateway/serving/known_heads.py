"""Heads of requests, parsed once and remembered byte for byte.

A client that keeps its connection sends the same head again and again. What was parsed
once, between two messages, is not parsed anew: the same bytes say the same. A head that is another
one in each request, as with an idempotency key, only costs the look.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.serving.parsing import HEADERS, Scope

_END = b"\r\n\r\n"
_LONGEST = 4096
_MOST_YOUNG = 256


class KnownHead(NamedTuple):
    """What a head says; its scope is shared by all requests that have it, so it is not changed."""

    scope: Scope
    keep_alive: bool
    body_bytes: int


class KnownHeads:
    """The heads that all connections of a process have seen.

    They are kept in two generations: what is asked for again moves into the young one, and when
    that is full the old one goes. So many heads that come once do not drive out those that stay.
    """

    def __init__(self) -> None:
        self._young: dict[bytes, KnownHead] = {}
        self._old: dict[bytes, KnownHead] = {}

    def recall(self, data: bytes) -> tuple[KnownHead, bytes] | None:
        """Return the head and the body if `data` is one whole request with a known head."""
        end = data.find(_END) + len(_END)
        head = data[:end]
        known = self._young.get(head)
        if known is None:
            known = self._old.get(head)
            if known is None:
                return None
            self._note(head, known)
        if len(data) - end != known.body_bytes:
            return None
        return known, data[end:]

    def learn(self, data: bytes, scope: Scope, *, keep_alive: bool) -> None:
        """Remember the head of a request; `data` was that one, no more and no less.

        Args:
            data: What came between two messages, and was parsed.
            scope: What its head says; shared from now on.
            keep_alive: Whether the client keeps the connection.
        """
        body_bytes = int(scope[HEADERS].get(b"content-length", b"0"))
        head = data[: len(data) - body_bytes]
        if len(head) <= _LONGEST and head.endswith(_END):
            self._note(head, KnownHead(scope, keep_alive, body_bytes))

    def _note(self, head: bytes, known: KnownHead) -> None:
        if len(self._young) >= _MOST_YOUNG:
            self._young, self._old = {}, self._young
        self._young[head] = known
