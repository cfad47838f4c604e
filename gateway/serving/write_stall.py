"""Whether a client takes what was written to it."""

from __future__ import annotations

from gateway.serving.limits import ConnectionLimits


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
