"""Which functions are quick, as this worker process has seen them run.

Only attempts of functions whose last runs were quick are sent to a runner together, and no more
than can be expected to end within a moment: behind others they wait. A busy machine makes single
runs look slow, so it is the mean that counts; what is slow for once is dealt with where it happens.
"""

from __future__ import annotations

QUICK_S = 0.001  # a burst is expected to end within it
_LONGEST_BURST = 16
_WEIGHT = 0.125  # of the last run in the mean
_MOST_KNOWN = 1_000


class Quickness:
    """The mean time that runs of a function take, by version."""

    def __init__(self) -> None:
        self._means_s: dict[tuple[str, str], float] = {}

    def burst(self, function: str, version: str) -> int:
        """Return how many attempts may lie with a runner at once; 1 for a function not known."""
        mean_s = self._means_s.get((function, version), QUICK_S)
        return max(1, min(_LONGEST_BURST, int(QUICK_S / mean_s)))

    def note(self, function: str, version: str, ran_s: float) -> None:
        """Note how long an attempt ran."""
        key = (function, version)
        mean_s = self._means_s.get(key)
        if mean_s is None:
            mean_s = QUICK_S
            if len(self._means_s) >= _MOST_KNOWN:
                self._means_s.clear()
        self._means_s[key] = mean_s + (max(ran_s, 1e-6) - mean_s) * _WEIGHT
