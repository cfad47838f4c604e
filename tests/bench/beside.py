"""This checkout beside another one, usually of the commit before, in turns in one run.

    git worktree add ../before HEAD~1 && make -C ../before .venv/installed
    make beside ARGS="../before --rounds 5 --work accept,wait,drain"

Each round starts both, first the one and then the other, and does every work on each. A ratio is
ours divided by theirs within a round; its median is told, with the least and the greatest. The
last column compares the processor time of a call, which other load on the machine hardly touches.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.goals import tell_number
from tests.bench.installing import BUILD
from tests.bench.machine import describe_machine
from tests.bench.measuring import Measuring, Sample
from tests.bench.progress_view import ProgressView
from tests.bench.results import Results, Spread
from tests.bench.running import running
from tests.bench.systems import BY_NAME as SYSTEMS
from tests.bench.systems import SystemPlan
from tests.bench.works import BY_NAME as WORKS

_OURS = ("penstock-process", "penstock-thread")
_BEFORE = "-before"


def main(words: Sequence[str]) -> int:
    """Measure and tell; 0 when every call was answered right."""
    parser = argparse.ArgumentParser(prog="make beside", description=__doc__)
    parser.add_argument("before", type=Path, help="the other checkout; its .venv is installed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a work lasts")
    parser.add_argument("--backlog", type=int, default=10_000, help="how many calls are drained")
    parser.add_argument("--work", default="accept,wait,drain", help="comma-separated")
    asked = parser.parse_args(words)
    works = asked.work.split(",")
    if unknown := set(works) - set(WORKS):
        parser.error(f"unknown work: {', '.join(unknown)}; there is {', '.join(WORKS)}")
    if not (asked.before / ".venv/bin/python").exists():
        parser.error(
            f"{asked.before}/.venv is missing: run `make -C {asked.before} .venv/installed`"
        )
    samples: list[Sample] = []
    with ProgressView(asked.rounds * 2 * len(_OURS)) as view:
        for number in range(asked.rounds):
            for plan in _in_turns(number, asked.before.resolve()):
                view.begin(f"round {number + 1}: {plan.title}")
                samples += _measure(plan, number, asked, works, view)
                view.advance()
    _tell(Results(samples), works)
    BUILD.mkdir(exist_ok=True)
    told = {"machine": describe_machine(), "samples": [sample.as_json() for sample in samples]}
    (BUILD / "beside.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 1 if any(sample.errors for sample in samples) else 0


def _in_turns(number: int, before: Path) -> Iterator[SystemPlan]:
    """Return the systems of a round; who goes first changes from round to round."""
    for name in _OURS:
        ours = SYSTEMS[name]
        pair = [
            ours,
            replace(ours, name=name + _BEFORE, title=f"{ours.title}, before", checkout=before),
        ]
        yield from pair if number % 2 == 0 else reversed(pair)


def _measure(
    plan: SystemPlan,
    number: int,
    asked: argparse.Namespace,
    works: Sequence[str],
    view: ProgressView,
) -> list[Sample]:
    with (
        tempfile.TemporaryDirectory(prefix="beside.") as folder,
        running(plan, Path(folder)) as system,
    ):
        measuring = Measuring(
            system,
            round_number=number,
            seconds=asked.seconds,
            backlog=asked.backlog,
            on_tick=view.tick,
        )
        measuring.warm_up()
        samples = [measuring.do(WORKS[name]) for name in works]
    for sample in samples:
        view.tell(sample)
    return samples


def _tell(results: Results, works: Sequence[str]) -> None:
    table = Table(title="Beside the checkout before (more is better, but for ms)")
    for column in ("work", "isolation", "before", "now", "ratio", "processor time, before : now"):
        table.add_column(column)
    for work in works:
        for name in _OURS:
            before = name + _BEFORE
            table.add_row(
                f"{work}, {WORKS[work].unit}",
                SYSTEMS[name].isolation,
                _spread(results.figure(before, work)),
                _spread(results.figure(name, work)),
                _spread(results.ratio(work, name, (before,))),
                _spread(results.processor_ratio(work, name, (before,))),
            )
    Console(width=120).print(table)
    for sample in results.samples:
        if sample.errors:
            print(f"{sample.system}, {sample.work}: {sample.errors} errors: {sample.example}")  # noqa: T201


def _spread(found: Spread | None) -> str:
    if found is None:
        return ""
    low, high = tell_number(found.low), tell_number(found.high)
    return f"{tell_number(found.middle)} ({low} to {high})"


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped
    sys.exit(main(sys.argv[1:]))
