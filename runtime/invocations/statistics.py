"""What finished and how long it took, by minutes and functions; used by `/statistics`.

Counts are what the scripts that settle write (lua/include/counters.lua): outcomes, and histograms
of run and queue times. They can be added up, so any span of time and any set of functions is the
sum of its parts. Quantiles are interpolated within a step of a histogram.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from runtime.store.statistics_commands import begin_of_step

_Key = TypeVar("_Key")
ENDINGS = ("succeeded", "failed", "cancelled", "expired")
OUTCOMES = (*ENDINGS, "retried", "lost")
_TIMES = ("run", "queue")
_STEP = re.compile(r"(\d{1,15}(?:\.5)?)ms", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCounts:
    """Counts by outcome, and histograms of times.

    Attributes:
        run: How many finished, by the upper bound of their run time's step, in ms.
        queue: The same for the time in the queue.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    run: Counter[float] = field(default_factory=Counter)
    queue: Counter[float] = field(default_factory=Counter)

    def ended(self) -> int:
        """Return how many have finished, whatever their outcome."""
        return sum(self.outcomes[name] for name in ENDINGS)

    def failure_rate(self) -> float | None:
        """Return the failed share of those that succeeded or failed; None without any."""
        counted = self.outcomes["succeeded"] + self.outcomes["failed"]
        return self.outcomes["failed"] / counted if counted else None

    def add(self, other: OutcomeCounts) -> None:
        """Add other counts to these."""
        _add(self.outcomes, other.outcomes)
        _add(self.run, other.run)
        _add(self.queue, other.queue)


def tallies_of(counts: Mapping[str, int]) -> dict[str, OutcomeCounts]:
    """Parse the fields of a minute into counts for each function."""
    tallies: dict[str, OutcomeCounts] = {}
    for name, count in counts.items():
        function, *rest = name.split(":")
        match rest:
            case [outcome] if outcome in OUTCOMES:
                tallies.setdefault(function, OutcomeCounts()).outcomes[outcome] += count
            case [time, step] if time in _TIMES and (bound := _STEP.fullmatch(step)):
                tally = tallies.setdefault(function, OutcomeCounts())
                (tally.run if time == "run" else tally.queue)[float(bound[1])] += count
    return tallies


def sum_tallies(tallies: Iterable[OutcomeCounts]) -> OutcomeCounts:
    """Return the sum of some counts."""
    total = OutcomeCounts()
    for tally in tallies:
        total.add(tally)
    return total


def quantile_ms(histogram: Mapping[float, int], share: float) -> float | None:
    """Return the time that a share of all times do not exceed; None for an empty histogram.

    Within a step times are assumed to be spread evenly. A step is at most a tenth wide, so no
    quantile is further off than that.
    """
    wanted = share * sum(histogram.values())
    if not wanted:
        return None
    passed = 0
    for bound_ms, here in sorted(histogram.items()):
        if passed + here >= wanted:
            begin_ms = begin_of_step(bound_ms)
            return begin_ms + (bound_ms - begin_ms) * (wanted - passed) / here
        passed += here
    return max(histogram)


def _add(total: Counter[_Key], more: Mapping[_Key, int]) -> None:
    """Add counts; for as few as here this is several times faster than `Counter.update`."""
    for key, count in more.items():
        total[key] = total.get(key, 0) + count
