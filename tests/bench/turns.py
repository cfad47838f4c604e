"""Who is measured when: a system of some size is started, does its works, and is stopped.

Used by `make bench` and `make beside`. The rule it protects: only one system runs at a time, and
those that are compared run soon after each other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measuring import MOST_CALLERS, Measuring
from tests.bench.progress_view import ProgressView
from tests.bench.running import running
from tests.bench.sample import Sample
from tests.bench.sizes import Sizes
from tests.bench.systems import SystemPlan
from tests.bench.works import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One system of one size in one round, and what it does."""

    number: int
    plan: SystemPlan
    sizes: Sizes
    works: tuple[Work, ...]


def turns_of_round(
    number: int, plans: Sequence[SystemPlan], works: Sequence[Work]
) -> Iterator[Turn]:
    """Return the turns of a round: size by size, each round another system first."""
    for sizes in dict.fromkeys(work.sizes for work in works):
        for place in range(len(plans)):
            plan = plans[(place + number) % len(plans)]
            done = tuple(work for work in works if work.sizes == sizes and plan.does(work))
            if done:
                yield Turn(number=number, plan=plan, sizes=sizes, works=done)


def do_turn(
    turn: Turn,
    *,
    seconds: float,
    backlog: int,
    view: ProgressView,
    callers: int = MOST_CALLERS,
) -> list[Sample]:
    """Start a system, do every work on it, stop it.

    Raises:
        NotReadyError: It did not come up.
    """
    samples = []
    with (
        tempfile.TemporaryDirectory(prefix="bench.") as folder,
        running(turn.plan, Path(folder), sizes=turn.sizes) as system,
    ):
        measuring = Measuring(
            system,
            round_number=turn.number,
            seconds=seconds,
            backlog=backlog,
            callers=callers,
            on_tick=view.tick,
        )
        if any(work.function == "fetch" for work in turn.works):
            system.start_slow_server()
        if turn.plan.kind != "echo":
            measuring.warm_up(turn.works)
        for work in turn.works:
            view.begin(f"{turn.plan.title}: {work.title}")
            samples.append(measuring.do(work))
    for sample in samples:
        view.report(sample)
    return samples
