"""What ended and how long it took, over minutes and functions; read by `/statistics`.

A tally is what the settle scripts count (lua/include/counters.lua): outcomes, and
histograms of run and queue times. Tallies add up, so any span of time and any set of
functions is the sum of its parts. Quantiles are interpolated within a histogram's step.
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
    """Counts by outcome, and how many took how long.

    Attributes:
        run: The number of endings by the upper bound of the run time's step, in ms.
        queue: The same of the time in the queue.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    run: Counter[float] = field(default_factory=Counter)
    queue: Counter[float] = field(default_factory=Counter)

    def ended(self) -> int:
        """Return how many have ended, however they did."""
        return sum(self.outcomes[name] for name in ENDINGS)

    def failure_rate(self) -> float | None:
        """Return the failed share of those that succeeded or failed, None without any."""
        counted = self.outcomes["succeeded"] + self.outcomes["failed"]
        return self.outcomes["failed"] / counted if counted else None

    def add(self, other: OutcomeCounts) -> None:
        """Count another tally in."""
        _add(self.outcomes, other.outcomes)
        _add(self.run, other.run)
        _add(self.queue, other.queue)


def tallies_of(counts: Mapping[str, int]) -> dict[str, OutcomeCounts]:
    """Read the fields of a minute into a tally for each function."""
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
    """Return the sum of tallies."""
    total = OutcomeCounts()
    for tally in tallies:
        total.add(tally)
    return total


def quantile_ms(histogram: Mapping[float, int], share: float) -> float | None:
    """Return the time within which a share of all lies; None of an empty histogram.

    Within a step all times are taken as equally likely. A step is at most a tenth wide, so no
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
    """Add counts; some times faster than `Counter.update` for as few as there are here."""
    for key, count in more.items():
        total[key] = total.get(key, 0) + count
