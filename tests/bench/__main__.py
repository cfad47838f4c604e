"""`make bench`: Penstock beside what its users would pick instead, in one run.

Installs the peers, measures round by round with the systems in turns, judges the goals, and
writes the page, the samples and the chart.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace

from rich.console import Console
from rich.table import Table

from tests.bench.chart import draw_chart
from tests.bench.code_size import measure_code
from tests.bench.full_queue import measure_full_queue
from tests.bench.installing import InstallError, install
from tests.bench.machine import describe_machine
from tests.bench.measuring import MeasuringError
from tests.bench.options import Options, parse_options
from tests.bench.packages import measure_packages
from tests.bench.page import write_page
from tests.bench.parts import NotReadyError
from tests.bench.progress_view import ProgressView
from tests.bench.rest import measure_rest
from tests.bench.results import Results, Spread
from tests.bench.sample import Sample
from tests.bench.systems import SYSTEMS, SystemPlan
from tests.bench.turns import Turn, do_turn, turns_of_round
from tests.bench.verdicts import Verdict, decide
from tests.bench.works import BY_NAME as WORKS


def main(words: Sequence[str]) -> int:
    """Measure what the words ask for; 0 when every call was answered right."""
    options = parse_options(words)
    machine = describe_machine()
    plans = _install([plan for plan in SYSTEMS if plan.name in options.systems])
    plans = [replace(p, checkout=options.before) if p.is_before else p for p in plans]
    turns = [
        turn
        for number in range(options.rounds)
        for turn in turns_of_round(number, plans, [WORKS[name] for name in options.works])
    ]
    with ProgressView(len(turns) + len(options.extras)) as view:
        samples = []
        for turn in turns:
            view.begin(f"round {turn.number + 1}: {turn.plan.title}")
            samples += _measure(turn, options, view)
            view.advance()
        own = _measure_own(options, view)
    results = Results(samples)
    verdicts = decide(results, own)
    _show(verdicts)
    _write(options, results, verdicts, own, machine, words)
    return 1 if any(sample.errors for sample in samples) else 0


def _install(plans: list[SystemPlan]) -> list[SystemPlan]:
    """Install the peers; return the plans of the systems that can run here."""
    ready = []
    for plan in plans:
        if plan.kind == "peer":
            try:
                install(plan.folder)
            except InstallError as error:
                print(f"{plan.title} is left out: {error}", file=sys.stderr)  # noqa: T201
                continue
        ready.append(plan)
    return ready


def _measure(turn: Turn, options: Options, view: ProgressView) -> list[Sample]:
    """Do a turn; what cannot be started is left out, and named."""
    try:
        return do_turn(
            turn,
            seconds=options.seconds,
            backlog=options.backlog,
            callers=options.callers,
            view=view,
        )
    except NotReadyError as error:
        view.say(f"{turn.plan.title} is left out of round {turn.number + 1}: {error}")
        return []


def _measure_own(options: Options, view: ProgressView) -> dict[str, Spread]:
    """Measure what only Penstock is asked."""
    measures = {
        "million": lambda: measure_full_queue(options.waiting, view.tick),
        "rest": lambda: measure_rest(view.tick),
        "packages": lambda: measure_packages(view.tick, view.say),
    }
    own: dict[str, Spread] = {}
    for name in options.extras:
        view.begin(f"Penstock: {name}")
        try:
            own |= measures[name]()
        except (MeasuringError, NotReadyError, OSError, AssertionError) as error:
            view.say(f"{name} is not measured: {error}")
        view.advance()
    if options.before is not None:
        own |= measure_code(options.before)
    return own


def _show(verdicts: list[Verdict]) -> None:
    table = Table(title="Goals")
    for column in ("work", "goal", "measured", "holds"):
        table.add_column(column)
    for verdict in verdicts:
        if verdict.holds is not None:
            holds = "yes" if verdict.holds else "NO"
            table.add_row(verdict.work, verdict.goal, verdict.measured, holds)
    Console().print(table)


def _write(
    options: Options,
    results: Results,
    verdicts: list[Verdict],
    own: dict[str, Spread],
    machine: dict[str, str],
    words: Sequence[str],
) -> None:
    options.output.mkdir(parents=True, exist_ok=True)
    reported = f'make bench ARGS="{" ".join(words)}"' if words else "make bench"
    page = write_page(results, verdicts=verdicts, own=own, machine=machine, reported=reported)
    (options.output / "results.md").write_text(page, encoding="utf-8")
    (options.output / "chart.svg").write_text(draw_chart(results), encoding="utf-8")
    whole = {
        "machine": machine,
        "goals": [asdict(verdict) for verdict in verdicts],
        "own": {name: asdict(spread) for name, spread in own.items()},
        "samples": [sample.as_json() for sample in results.samples],
    }
    text = json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
    (options.output / "results.json").write_text(text, encoding="utf-8")
    print(f"Written to {options.output}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped
    sys.exit(main(sys.argv[1:]))
