"""Throttle addresses that send wrong API keys: after 20 in a minute, they have to wait.

The counts are in the memory of one process. Keys cannot be guessed; this only limits the load of
wrong ones. It must not lock out callers that share an address, as behind a proxy: a key that this
process knows is accepted from any address, and 20 unknown keys per second are looked up anyway.
"""

from __future__ import annotations

from collections.abc import Callable

MOST_FAILURES = 20
WINDOW_S = 60.0
CHANCES_PER_S = 20
_MOST_ADDRESSES = 10_000


class FailureThrottle:
    """Counts failures by address, in fixed windows of time."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        most: int = MOST_FAILURES,
        window_s: float = WINDOW_S,
    ) -> None:
        self._clock = clock
        self._most = most
        self._window_s = window_s
        self._counts: dict[str, tuple[int, float]] = {}
        self._chances = 0
        self._chances_until = 0.0

    def wait_s(self, address: str) -> float:
        """Return how many seconds an address has to wait; 0 if it has not failed too often."""
        count, until = self._counts.get(address, (0, 0.0))
        left_s = until - self._clock()
        return left_s if count >= self._most and left_s > 0 else 0.0

    def take_chance(self) -> bool:
        """Take one of this second's lookups for throttled addresses; False if none is left."""
        now = self._clock()
        if now >= self._chances_until:
            self._chances, self._chances_until = CHANCES_PER_S, now + 1
        self._chances -= 1
        return self._chances >= 0

    def note(self, address: str) -> None:
        """Count a failure of an address."""
        now = self._clock()
        count, until = self._counts.get(address, (0, 0.0))
        if until <= now:
            count, until = 0, now + self._window_s
            if len(self._counts) >= _MOST_ADDRESSES:
                self._forget_old(now)
        self._counts[address] = (count + 1, until)

    def _forget_old(self, now: float) -> None:
        self._counts = {a: (n, until) for a, (n, until) in self._counts.items() if until > now}
        if len(self._counts) >= _MOST_ADDRESSES:
            self._counts.clear()
