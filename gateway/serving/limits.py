"""How long and how large the HTTP of one connection may be."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What a connection may ask of us before it is closed.

    Attributes:
        header_timeout_s: From a request's first byte (or the connection's start) to the
            end of its headers.
        body_timeout_s: From the end of the headers to the end of the body; also how long
            a client may take no notice of an answer.
        idle_timeout_s: Between two requests.
        linger_s, linger_bytes: How long and how much of what a refused client still sends
            is read and dropped, so that it sees the answer instead of a reset.
        leave_s: How long after its client has left a request may still run.
        last_call_s: How long a stopping gateway still listens to who is connected: what was sent
            before the news of its stop is answered, not reset.
        drain_bytes: What a client must take of an answer within `body_timeout_s`.
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
    """Watches how much of an answer is left to send; asked on every sweep."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._left_bytes = 0
        self._deadline_at = 0.0

    def is_stuck(self, left_bytes: int, now: float) -> bool:
        """Whether the client took less than `drain_bytes` for longer than `body_timeout_s`."""
        taken_bytes = self._left_bytes - left_bytes
        if not left_bytes or not self._left_bytes or taken_bytes >= self._limits.drain_bytes:
            self._left_bytes = left_bytes
            self._deadline_at = now + self._limits.body_timeout_s
            return False
        self._left_bytes = max(self._left_bytes, left_bytes)
        return now >= self._deadline_at
