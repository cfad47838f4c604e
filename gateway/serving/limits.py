"""The limits of one HTTP connection, and the check that a client reads its response.

`ConnectionLimits` holds the numbers, which the parser and the connection enforce; `WriteStall`
finds clients that take too little of a response. No client may cost unbounded time or memory.
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """The limits of one connection.

    Attributes:
        header_timeout_s: From a request's first byte (or the connection's start) to the
            end of its headers.
        body_timeout_s: From the end of the headers to the end of the body; also how long
            a client may take less than `drain_bytes` of a response.
        idle_timeout_s: Between two requests.
        linger_s, linger_bytes: How long, and how many bytes, the input of a refused client is
            read and dropped, so that the client sees the response instead of a reset.
        leave_s: How long a complete request may run on after its client has left.
        last_call_s: How long open connections may still send a request after shutdown has
            begun: a request that was already on its way is answered, not reset.
        drain_bytes: How much of a response a client must take within `body_timeout_s`.
        header_bytes, header_count, target_bytes: The size of a request head.
        unread_body_bytes: Reading pauses while the application has not read this much.
    """

    header_timeout_s: float = 10.0
    body_timeout_s: float = 30.0
    idle_timeout_s: float = 75.0
    linger_s: float = 2.0
    leave_s: float = 1.5
    last_call_s: float = 1.0
    linger_bytes: int = 16 * 1024 * KIB
    drain_bytes: int = 16 * KIB
    header_bytes: int = 32 * KIB
    header_count: int = 100
    target_bytes: int = 8 * KIB
    unread_body_bytes: int = 64 * KIB


class WriteStall:
    """Measures how fast a client takes its response; called at every sweep."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._left_bytes = 0
        self._deadline_at = 0.0

    def is_stuck(self, left_bytes: int, now: float) -> bool:
        """Whether the client took less than `drain_bytes` within `body_timeout_s`.

        `left_bytes` is what the transport has not sent yet, `now` the loop's time.
        """
        taken_bytes = self._left_bytes - left_bytes
        if not left_bytes or not self._left_bytes or taken_bytes >= self._limits.drain_bytes:
            self._left_bytes = left_bytes
            self._deadline_at = now + self._limits.body_timeout_s
            return False
        # More output raises the mark, so that a client is credited only with what it took.
        self._left_bytes = max(self._left_bytes, left_bytes)
        return now >= self._deadline_at
