"""What a worker process has in hand, and how much more it may take.

Consumers reserve room before they claim, so nothing is parked behind a long
attempt; the heartbeat extends the leases of what is held here and of nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from runtime.broker.attempt import Attempt


class Holdings:
    """The attempts of one worker process; `room` is how many it may hold at once."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._free = room
        self._held: dict[str, Attempt] = {}
        self._changed = threading.Condition()

    def has_room(self, *, timeout_s: float) -> bool:
        """Whether there is room, or will be within `timeout_s`."""
        with self._changed:
            if not self._free:
                self._changed.wait(timeout_s)
            return self._free > 0

    def reserve(self, *, timeout_s: float) -> int:
        """Take all free room, waiting up to `timeout_s` for some; return how much."""
        with self._changed:
            if not self._free:
                self._changed.wait(timeout_s)
            taken, self._free = self._free, 0
            return taken

    def hold(self, attempts: Iterable[Attempt], *, reserved: int) -> None:
        """Fill reserved room with attempts and give the rest of it back."""
        with self._changed:
            for attempt in attempts:
                self._held[attempt.claimed.id] = attempt
                reserved -= 1
            self._free += reserved
            if self._free > 0:
                self._changed.notify()

    def drop(self, attempts: Iterable[Attempt]) -> None:
        """Let go of attempts that are settled or given back."""
        with self._changed:
            for attempt in attempts:
                if self._held.get(attempt.claimed.id) is attempt:
                    del self._held[attempt.claimed.id]
                self._free += 1
            self._changed.notify()

    def is_calm(self) -> bool:
        """Whether at most half of the room is in use."""
        return len(self._held) * 2 <= self._room

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
            while self._held:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return False
                self._changed.wait(min(left_s, 0.1))
            return True
