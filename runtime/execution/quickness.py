"""Which functions are quick, as this worker process has seen them end.

Only attempts of functions that have ended at once, again and again, are sent to a runner ahead of
their turn, and no more than can be expected to end within a moment: behind others they wait.
"""

from __future__ import annotations

QUICK_S = 0.001  # what ends within it has not kept its thread waiting
_LONGEST_BURST = 16
_FADING = 0.95  # of the longest time seen, with each attempt
_MOST_KNOWN = 1_000


class Quickness:
    """How many attempts of a function have been quick in a row, and how quick; by version."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], tuple[int, float]] = {}

    def burst(self, function: str, version: str) -> int:
        """Return how many attempts may lie with a runner at once; 1 for a function not known."""
        streak, longest_s = self._seen.get((function, version), (0, QUICK_S))
        if not streak:
            return 1
        return min(1 + streak, max(1, int(QUICK_S / longest_s)))

    def note(self, function: str, version: str, ran_s: float) -> None:
        """Note how long an attempt ran."""
        key = (function, version)
        if ran_s >= QUICK_S:
            self._seen.pop(key, None)
            return
        seen = self._seen.get(key)
        if seen is None and len(self._seen) >= _MOST_KNOWN:
            self._seen.clear()
        streak, longest_s = seen or (0, 0.0)
        longest_s = max(ran_s, longest_s * _FADING, 1e-6)
        self._seen[key] = (min(streak + 1, _LONGEST_BURST - 1), longest_s)
