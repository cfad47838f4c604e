"""This checkout beside another one, usually of the commit before, in turns in one run.

    git worktree add ../before HEAD~1 && make -C ../before .venv/installed
    make beside ARGS="../before --rounds 5 --work accept,wait,drain,lone,steady"

Each round starts both, first the one and then the other, and does every work on each. A ratio is
ours divided by theirs within a round; its median is told, with the least and the greatest. The
last column compares the processor time of a call, which other load on the machine hardly touches.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.code_size import measure_code
from tests.bench.installing import BUILD
from tests.bench.machine import describe_machine
from tests.bench.measuring import MOST_CALLERS
from tests.bench.options import what_is_missing
from tests.bench.progress_view import ProgressView
from tests.bench.results import Results, Spread
from tests.bench.sample import Sample
from tests.bench.systems import BEFORE
from tests.bench.systems import BY_NAME as SYSTEMS
from tests.bench.turns import Turn, do_turn, turns_of_round
from tests.bench.verdicts import Verdict, judge_before, tell_number
from tests.bench.works import BY_NAME as WORKS
from tests.bench.works import Work

_OURS = ("penstock-process", "penstock-thread")
_USUAL = "wait,drain,lone,steady,accept"


def main(words: Sequence[str]) -> int:
    """Measure and tell; 0 when every call was answered right."""
    parser = argparse.ArgumentParser(prog="make beside", description=__doc__)
    parser.add_argument("before", type=Path, help="the other checkout; its .venv is installed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a work lasts")
    parser.add_argument("--backlog", type=int, default=10_000, help="how many calls are drained")
    parser.add_argument("--callers", type=int, default=MOST_CALLERS, help="at most so many call")
    parser.add_argument("--work", default=_USUAL, help=f"comma-separated ({_USUAL})")
    asked = parser.parse_args(words)
    chosen = set(asked.work.split(","))
    works = [work for work in WORKS.values() if work.name in chosen]  # as all can be done
    if unknown := chosen - set(WORKS):
        parser.error(f"unknown work: {', '.join(unknown)}; there is {', '.join(WORKS)}")
    if wrong := what_is_missing(asked.before):
        parser.error(wrong)
    before = asked.before.resolve()
    turns = [turn for number in range(asked.rounds) for turn in _turns(number, before, works)]
    samples: list[Sample] = []
    with ProgressView(len(turns)) as view:
        for turn in turns:
            view.begin(f"round {turn.number + 1}: {turn.plan.title}")
            samples += do_turn(
                turn,
                seconds=asked.seconds,
                backlog=asked.backlog,
                callers=asked.callers,
                view=view,
            )
            view.advance()
    results = Results(samples)
    _report(results, works)
    verdicts = judge_before(results, measure_code(before))
    _tell_goals(verdicts)
    BUILD.mkdir(exist_ok=True)
    reported = {
        "machine": describe_machine(),
        "goals": [asdict(verdict) for verdict in verdicts],
        "samples": [sample.as_json() for sample in samples],
    }
    (BUILD / "beside.json").write_text(json.dumps(reported, indent=1) + "\n", encoding="utf-8")
    return 1 if any(sample.errors for sample in samples) else 0


def _turns(number: int, before: Path, works: Sequence[Work]) -> Iterator[Turn]:
    """Return the turns of a round; who goes first changes from round to round."""
    for name in _OURS:
        ours = SYSTEMS[name]
        # The other one does what ours does, what waits on an event loop, too.
        theirs = replace(SYSTEMS[name + BEFORE], checkout=before, groups=ours.groups)
        yield from turns_of_round(number, (ours, theirs), works)


def _report(results: Results, works: Sequence[Work]) -> None:
    table = Table(title="Beside the checkout before (more is better, but for ms and µs)")
    for column in ("work", "isolation", "before", "now", "ratio", "processor time, before : now"):
        table.add_column(column)
    for work in works:
        for name in _OURS:
            if not SYSTEMS[name].does(work):
                continue
            before = name + BEFORE
            table.add_row(
                f"{work.name}, {work.unit}",
                SYSTEMS[name].isolation,
                _spread(results.figure(before, work.name)),
                _spread(results.figure(name, work.name)),
                _spread(results.ratio(work.name, name, (before,))),
                _spread(results.processor_ratio(work.name, name, (before,))),
            )
    Console(width=120).print(table)
    for sample in results.samples:
        if sample.errors:
            print(f"{sample.system}, {sample.work}: {sample.errors} errors: {sample.example}")  # noqa: T201


def _tell_goals(verdicts: Sequence[Verdict]) -> None:
    table = Table(title="Goals beside the checkout before")
    for column in ("work", "goal", "measured", "holds"):
        table.add_column(column)
    holds = {True: "yes", False: "NO", None: "not measured"}
    for verdict in verdicts:
        table.add_row(verdict.work, verdict.goal, verdict.measured, holds[verdict.holds])
    Console(width=120).print(table)


def _spread(found: Spread | None) -> str:
    if found is None:
        return ""
    low, high = tell_number(found.low), tell_number(found.high)
    return f"{tell_number(found.middle)} ({low} to {high})"


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped
    sys.exit(main(sys.argv[1:]))
