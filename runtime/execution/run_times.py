"""How long the runs of each function take in this worker process.

A busy machine makes single runs look slow, so it is the mean that counts. From it follow how many
attempts may lie with a runner at once, and which attempts one thread of the lane runs one after
the other. Used on the loop thread only.
"""

from __future__ import annotations

QUICK_S = 0.001  # the mean of a quick function's runs is below; a window is expected to end within
_LARGEST_WINDOW = 32
_WEIGHT = 0.125  # of the last run in the mean
_MOST_KNOWN = 10_000


class RunTimes:
    """The mean run time of each function, by version; recent runs count most."""

    def __init__(self) -> None:
        self._means_s: dict[tuple[str, str], float] = {}

    def mean_s(self, function: str, version: str) -> float | None:
        """Return the mean run time in seconds; None for a function that has not run here."""
        return self._means_s.get((function, version))

    def window(self, function: str, version: str, per_process: int) -> int:
        """Return how many attempts of a function may lie with one runner.

        Args:
            function: Its name.
            version: Its version.
            per_process: How many of them a runner may run at the same time. Where it runs one
                after the other, as many lie with it as are expected to end within `QUICK_S`.
        """
        if per_process > 1:
            return per_process
        mean_s = self._means_s.get((function, version), QUICK_S)
        return max(1, min(_LARGEST_WINDOW, int(QUICK_S / mean_s)))

    def note(self, function: str, version: str, ran_s: float) -> None:
        """Note how long an attempt ran."""
        key = (function, version)
        mean_s = self._means_s.get(key)
        if mean_s is None:
            mean_s = QUICK_S  # so that one run alone proves little
            if len(self._means_s) >= _MOST_KNOWN:
                self._means_s.clear()
        self._means_s[key] = mean_s + (max(ran_s, 1e-6) - mean_s) * _WEIGHT

    def doubt(self, function: str, version: str) -> None:
        """A run that was thought quick is not: until several were, its function is not either."""
        key = (function, version)
        self._means_s[key] = max(self._means_s.get(key, QUICK_S), QUICK_S)
