"""How often an address has shown wrong keys lately: after a few, it is told to wait.

In memory of one process. Guessing a key is hopeless anyway; this keeps it cheap for us.
It must not shut out those who share an address, as all do behind a proxy: a key that this
process knows is let in wherever it comes from, and some others are still looked up.
"""

from __future__ import annotations

from collections.abc import Callable

MOST_FAILURES = 20
WINDOW_S = 60.0
CHANCES_PER_S = 20
_MOST_ADDRESSES = 10_000


class FailureThrottle:
    """Counts failures by address, in windows."""

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
        """Return how long this address has to wait; 0 while it has not failed too often."""
        count, until = self._counts.get(address, (0, 0.0))
        left_s = until - self._clock()
        return left_s if count >= self._most and left_s > 0 else 0.0

    def take_chance(self) -> bool:
        """Whether a key may be looked up though its address waits: so many each second."""
        now = self._clock()
        if now >= self._chances_until:
            self._chances, self._chances_until = CHANCES_PER_S, now + 1
        self._chances -= 1
        return self._chances >= 0

    def note(self, address: str) -> None:
        """Count a failure."""
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
