"""Wait for tokens in wake-up lists and for other events at once, to the millisecond.

Used by a worker's upkeep thread. One BLPOP is always in flight on a connection of its own. So a
token is taken at once even while the thread uses its other connection, and a timeout is exact:
Redis itself ends a BLPOP up to 100 ms late. No token is lost when the wait ends: see `close`.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import time
from collections.abc import Sequence

from runtime.errors import StoreError
from runtime.store.blocking_connection import BlockingConnection, PendingReplies
from runtime.store.reconnection import AWAY_PAUSE_S
from runtime.store.scripts import Command

_BLOCK_S = 30.0
_OVERDUE_S = 2.0


class WakeLists:
    """The lists that one thread waits on; not to be shared between threads.

    Args:
        connection: A connection that is used for nothing else.
        keys: The lists; without any, `wait` waits for the other events only.
    """

    def __init__(self, connection: BlockingConnection, keys: Sequence[str]) -> None:
        self._connection = connection
        self._keys = tuple(keys)
        self._blpop = Command(
            ("BLPOP", *self._keys, f"{_BLOCK_S:g}"),
            lambda reply: None if reply is None else reply[0].decode(),
        )
        self._sent: PendingReplies | None = None
        # When the BLPOP in flight is overdue, or the next one may be sent.
        self._next_at = 0.0 if self._keys else math.inf

    def wait(self, timeout_s: float, interrupt: socket.socket) -> str | None:
        """Wait for a token, for the timeout, or until `interrupt` is readable.

        Returns the list that the token was taken from, else None, sometimes before the timeout.
        While Redis is unavailable it only waits, and tries again after a pause.
        """
        self._ask()
        poller = select.poll()
        poller.register(interrupt, select.POLLIN)
        if self._sent is not None and self._connection.fileno() >= 0:
            poller.register(self._connection, select.POLLIN)
        left_s = min(timeout_s, max(0.0, self._next_at - time.monotonic()))
        ready = [fd for fd, _ in poller.poll(left_s * 1000 if left_s < math.inf else None)]
        return self._take() if self._connection.fileno() in ready else None

    def close(self) -> None:
        """Stop waiting without losing a token.

        A token may be on its way, or taken and not acted on, and that cannot be known in every
        case. So every list has a token afterwards, until a worker takes it.
        """
        if self._sent is not None:
            # Redis closes the connection when it has ended the BLPOP. Before that, the BLPOP could
            # still take the very token that is pushed below.
            self._connection.half_close()
            self._take()
        calls = [Command(("LPUSH", key, "1"), int) for key in self._keys]
        with contextlib.suppress(StoreError):
            self._connection.run_many(calls)
        self._connection.close()

    def _ask(self) -> None:
        now = time.monotonic()
        if now < self._next_at:
            return
        if self._sent is not None:  # overdue: Redis has stopped or is unreachable
            self._sent = None
            self._connection.close()
        try:
            self._sent = self._connection.begin([self._blpop])
            self._next_at = now + _BLOCK_S + _OVERDUE_S
        except StoreError:
            self._next_at = now + AWAY_PAUSE_S

    def _take(self) -> str | None:
        sent, self._sent = self._sent, None
        self._next_at = 0.0
        try:
            found: list[str | None] = self._connection.finish(sent) if sent is not None else [None]
        except StoreError:
            self._next_at = time.monotonic() + AWAY_PAUSE_S
            return None
        return found[0]
