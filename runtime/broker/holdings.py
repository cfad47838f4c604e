"""What a worker process has in hand: the heartbeat extends the leases of this and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from runtime.broker.attempt import Attempt


class Holdings:
    """The claimed attempts of one worker process, until their endings are written."""

    def __init__(self) -> None:
        self._held: dict[str, Attempt] = {}
        self._changed = threading.Condition()
        self._is_awaited = False

    def hold(self, attempts: Iterable[Attempt]) -> None:
        """Take up what has been claimed."""
        with self._changed:
            for attempt in attempts:
                self._held[attempt.claimed.id] = attempt

    def drop(self, attempts: Iterable[Attempt]) -> None:
        """Let go of attempts that are settled or given back."""
        with self._changed:
            for attempt in attempts:
                if self._held.get(attempt.claimed.id) is attempt:
                    del self._held[attempt.claimed.id]
            if self._is_awaited:
                self._changed.notify_all()

    def count(self) -> int:
        """Return how many are held now."""
        return len(self._held)

    def held(self) -> list[Attempt]:
        """Return what is held now."""
        with self._changed:
            return list(self._held.values())

    def wait_until_empty(self, *, timeout_s: float) -> bool:
        """Wait until nothing is held; return whether that came true."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            self._is_awaited = True
            while self._held:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return False
                self._changed.wait(min(left_s, 0.1))
            return True
