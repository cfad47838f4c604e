"""What `make bench ARGS="…"` may ask for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.installing import BUILD, ROOT
from tests.bench.measuring import MOST_CALLERS
from tests.bench.systems import SYSTEMS
from tests.bench.works import WORKS

PAGES = ROOT / "docs/benchmarks"
PARTIAL = BUILD / "results"
_EXTRAS = ("million", "rest", "packages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to measure.

    Attributes:
        systems: Which systems, by name.
        works: Which works, by name.
        extras: Which of `million` (so many waiting), `rest` (an idle system) and `packages`
            (functions with environments of their own).
        before: Another checkout of Penstock to measure as well; None for none.
        backlog: How many calls a drain is about.
        callers: How many call at once at most.
        waiting: How many calls `million` has waiting.
        output: Where the page, the figures and the chart go.
    """

    rounds: int
    seconds: float
    backlog: int
    callers: int
    before: Path | None
    waiting: int
    systems: tuple[str, ...]
    works: tuple[str, ...]
    extras: tuple[str, ...]
    output: Path


def parse_options(words: Sequence[str]) -> Options:
    """Return what the words of a command line ask for; a wrong one ends the program."""
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Measure Penstock beside what its users would pick instead. "
        f"Systems: {', '.join(plan.name for plan in SYSTEMS)}. "
        f"Work: {', '.join(work.name for work in WORKS)}, {', '.join(_EXTRAS)}.",
    )
    parser.add_argument("--rounds", type=int, help="how often everything is measured (3)")
    parser.add_argument("--seconds", type=float, help="how long a work lasts (3)")
    parser.add_argument("--backlog", type=int, help="how many calls are drained (10000)")
    parser.add_argument("--callers", type=int, default=MOST_CALLERS, help="at most so many (1000)")
    parser.add_argument(
        "--before", type=Path, help="another checkout to measure as well, its .venv installed"
    )
    parser.add_argument("--only", type=_names, help="systems, comma-separated (all)")
    parser.add_argument("--work", type=_names, help="work, comma-separated (all)")
    parser.add_argument("--quick", action="store_true", help="one short round of everything")
    parser.add_argument(
        "--output", type=Path, help="folder for the results (docs/benchmarks when all is measured)"
    )
    asked = parser.parse_args(words)
    known = tuple(plan.name for plan in SYSTEMS if asked.before or not plan.is_before)
    systems = _choose(parser, asked.only, known)
    if asked.before and (wrong := what_is_missing(asked.before)):
        parser.error(wrong)
    works = _choose(parser, asked.work, (*(work.name for work in WORKS), *_EXTRAS))
    is_partial = bool(asked.only or asked.work or asked.quick)
    return Options(
        rounds=asked.rounds or (1 if asked.quick else 3),
        seconds=asked.seconds or (1.0 if asked.quick else 3.0),
        backlog=asked.backlog or (2_000 if asked.quick else 10_000),
        callers=asked.callers,
        before=asked.before and asked.before.resolve(),
        waiting=100_000 if asked.quick else 1_000_000,
        systems=systems,
        works=tuple(work.name for work in WORKS if work.name in works),
        extras=tuple(
            name for name in _EXTRAS if name in works and any("penstock" in s for s in systems)
        ),
        output=asked.output or (PARTIAL if is_partial else PAGES),
    )


def what_is_missing(checkout: Path) -> str:
    """Return why a checkout cannot be measured beside this one; empty if it can."""
    if (checkout / ".venv/bin/python").exists():
        return ""
    return f"{checkout}/.venv is missing: run `make -C {checkout} .venv/installed`"


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def _choose(
    parser: argparse.ArgumentParser, asked: tuple[str, ...] | None, known: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the known names that were asked for, in their own order."""
    unknown = set(asked or ()) - set(known)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return tuple(name for name in known if not asked or name in asked)
