"""Which functions are quick here, and how many of their calls a worker may take ahead.

A call taken ahead is claimed before a thread is free for it, so that claims are large
and overlap with runs. That pays for calls that last less than a round trip, and parks
all others; so only functions whose last calls were quick are taken ahead, and no more
of them than this worker has lately finished within `_AHEAD_S`.
"""

from __future__ import annotations

import threading
import time

from runtime.broker.attempt import Attempt

_QUICK_S = 0.002  # the mean of a quick function's runs is below
_INSTANT_S = 0.001  # the same of one that is not worth waking another thread for
_UNKNOWN_S = 0.01  # what is assumed before anything is known: quick after a dozen quick runs
_WEIGHT = 0.125  # of the last run in the mean: a slow one counts for its next dozen
_MOST_KNOWN = 1_000
_AHEAD_S = 0.012
_MOST_AHEAD = 56
_WINDOW_S = 0.004
_LONGEST_WINDOW_S = 0.1


class Foresight:
    """What one worker has learned of its functions; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._means_s: dict[str, float] = {}
        self._quick: frozenset[str] = frozenset()
        self._ended = 0
        self._window_began_at = time.monotonic()
        self._per_s = 0.0

    @property
    def quick(self) -> frozenset[str]:
        """Names of the functions that are quick."""
        return self._quick

    def is_instant(self, function: str) -> bool:
        """Whether a function's last runs were shorter than it takes to wake another thread."""
        return self._means_s.get(function, _UNKNOWN_S) < _INSTANT_S

    def takes_s(self, attempt: Attempt) -> float:
        """Return how long it may run: the mean of its function's last runs."""
        return self._means_s.get(attempt.claimed.function, _UNKNOWN_S)

    def note(self, function: str, took_s: float) -> None:
        """A run of a function has ended."""
        self._ended += 1
        mean_s = self._means_s.get(function, _UNKNOWN_S)
        mean_s += (took_s - mean_s) * _WEIGHT
        self._means_s[function] = mean_s
        if (mean_s < _QUICK_S) != (function in self._quick):
            self._sort(function, is_quick=mean_s < _QUICK_S)

    def ahead(self) -> int:
        """Return how many calls may lie ready beyond what threads are free for."""
        if not self._quick:
            return 0
        now = time.monotonic()
        with self._lock:
            window_s = now - self._window_began_at
            if window_s >= _WINDOW_S:
                per_s = self._ended / window_s
                is_fresh = window_s > _LONGEST_WINDOW_S
                self._per_s = per_s if is_fresh else (self._per_s + per_s) / 2
                self._ended = 0
                self._window_began_at = now
            return min(_MOST_AHEAD, int(self._per_s * _AHEAD_S))

    def doubt(self) -> None:
        """Something that was thought quick is not: take nothing ahead for a while."""
        with self._lock:
            self._means_s.clear()
            self._quick = frozenset()
            self._per_s = 0.0

    def _sort(self, function: str, *, is_quick: bool) -> None:
        with self._lock:
            self._quick = self._quick | {function} if is_quick else self._quick - {function}
            if len(self._means_s) > _MOST_KNOWN:
                self._means_s.clear()
