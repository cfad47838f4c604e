"""A moving average of the run time of each function in this worker process.

The mean counts, not a single run: a busy machine makes single runs look slow. It decides how many
attempts are claimed ahead (`prefetch`), and which attempts one thread runs one after the other.
Loop thread only.
"""

from __future__ import annotations

QUICK_S = 0.001  # a function is quick while its mean run time is below
_WEIGHT = 0.125  # of the latest run in the mean
_MOST_KNOWN = 10_000


class RunTimes:
    """The mean run time of each function version; recent runs weigh most."""

    def __init__(self) -> None:
        self._means_s: dict[tuple[str, str], float] = {}

    def mean_s(self, function: str, version: str) -> float | None:
        """Return the mean run time in seconds; None for a function that has not run here."""
        return self._means_s.get((function, version))

    def note(self, function: str, version: str, ran_s: float) -> None:
        """Add one run time to the mean."""
        key = (function, version)
        mean_s = self._means_s.get(key)
        if mean_s is None:
            mean_s = QUICK_S  # a single fast run does not make a function quick
            if len(self._means_s) >= _MOST_KNOWN:
                self._means_s.clear()
        self._means_s[key] = mean_s + (max(ran_s, 1e-6) - mean_s) * _WEIGHT

    def doubt(self, function: str, version: str) -> None:
        """Raise the mean to at least `QUICK_S`: several quick runs must lower it again."""
        key = (function, version)
        self._means_s[key] = max(self._means_s.get(key, QUICK_S), QUICK_S)
