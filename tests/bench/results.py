"""What was measured in all rounds: medians with their spread, and ratios within a round.

A ratio compares figures of one round, measured within the same few minutes, and the
median of these ratios is told: on a noisy machine that is steadier than a ratio of
medians. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from tests.bench.sample import Sample
from tests.bench.works import BY_NAME

# Which value of a sample: the figure of its work, or what every work has besides.
Part = Literal["figure", "processor_us", "memory_mb"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A median and what lies around it."""

    middle: float
    low: float
    high: float


def spread_of(values: Sequence[float]) -> Spread | None:
    """Return median, least and greatest; None for no values."""
    if not values:
        return None
    return Spread(middle=median(values), low=min(values), high=max(values))


class Results:
    """All samples of a run.

    Args:
        samples: In any order.
    """

    def __init__(self, samples: Iterable[Sample]) -> None:
        self.samples = list(samples)

    def of(self, system: str, work: str) -> list[Sample]:
        """Return the samples of one work on one system, by round."""
        found = [one for one in self.samples if (one.system, one.work) == (system, work)]
        return sorted(found, key=lambda one: one.round)

    def figure(self, system: str, work: str, part: Part = "figure") -> Spread | None:
        """Return the figure of a work on a system, or another part of its samples."""
        values = [getattr(one, part) for one in self.of(system, work)]
        return spread_of([value for value in values if value or part == "figure"])

    def errors(self, system: str, work: str) -> int:
        """Return how many calls went wrong."""
        return sum(one.errors for one in self.of(system, work))

    def ratio(
        self,
        work: str,
        ours: str,
        theirs: Sequence[str],
        *,
        their_work: str = "",
        part: Part = "figure",
    ) -> Spread | None:
        """Return our figure divided by that of the best of `theirs`, round by round.

        `their_work` is what they do, where that is not the same. Of processor time and memory the
        least is the best.
        """
        best = max if BY_NAME[work].is_rate and part == "figure" else min
        ratios = []
        for sample in self.of(ours, work):
            others = [
                value
                for name in theirs
                for other in self.of(name, their_work or work)
                if other.round == sample.round and (value := getattr(other, part)) > 0
            ]
            if others and getattr(sample, part) > 0:
                ratios.append(getattr(sample, part) / best(others))
        return spread_of(ratios)

    def processor_ratio(
        self, work: str, ours: str, theirs: Sequence[str], *, their_work: str = ""
    ) -> Spread | None:
        """Return how much processor time the thriftiest of `theirs` takes for our one."""
        if not BY_NAME[work].is_rate:
            return None
        found = self.ratio(work, ours, theirs, their_work=their_work, part="processor_us")
        if found is None:
            return None
        return Spread(middle=1 / found.middle, low=1 / found.high, high=1 / found.low)

    def systems(self) -> set[str]:
        """Return the names of the systems that were measured."""
        return {one.system for one in self.samples}

    def works(self) -> set[str]:
        """Return the names of the works that were measured."""
        return {one.work for one in self.samples}
