"""Judges the goals by what was measured.

A goal that was not measured says so; one that is missed says so too. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.bench.goals import (
    BEFORE_GOALS,
    FIGURE_GOALS,
    MANY,
    OWN_GOALS,
    RATIO_GOALS,
    FigureGoal,
    OwnGoal,
    RatioGoal,
)
from tests.bench.results import Results, Spread
from tests.bench.works import BY_NAME as WORKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One row of the table of goals; `holds` is None for what was not measured."""

    work: str
    goal: str
    measured: str
    processor: str
    holds: bool | None


def decide(results: Results, own: Mapping[str, Spread]) -> list[Verdict]:
    """Return a row for every goal."""
    return [
        *(_judge_ratio(goal, results) for goal in (*RATIO_GOALS, *BEFORE_GOALS)),
        *(_judge_figure(goal, results) for goal in FIGURE_GOALS),
        *(_judge_own(goal, own) for goal in OWN_GOALS),
    ]


def judge_before(results: Results, own: Mapping[str, Spread]) -> list[Verdict]:
    """Return a row for every goal beside the commit before."""
    return [
        *(_judge_ratio(goal, results) for goal in BEFORE_GOALS),
        *(_judge_own(goal, own) for goal in OWN_GOALS if goal.name == "code_ratio"),
    ]


def _judge_ratio(goal: RatioGoal, results: Results) -> Verdict:
    asked = (goal.work, goal.ours, goal.theirs)
    found = results.ratio(*asked, their_work=goal.their_work, part=goal.part)
    processor = None
    if goal.part == "figure":
        processor = results.processor_ratio(*asked, their_work=goal.their_work)
    return Verdict(
        work=WORKS[goal.work].title,
        goal=f"{_mode(goal.ours)} {_sign(goal)} {goal.bound:g} × {goal.reported}",  # noqa: RUF001 - for people
        measured=_report(found, " ×"),  # noqa: RUF001 - for people
        processor=_report(processor, ""),
        holds=_holds(goal, found),
    )


def _judge_figure(goal: FigureGoal, results: Results) -> Verdict:
    found = results.figure(goal.ours, goal.work, goal.part)
    return Verdict(
        work=WORKS[goal.work].title,
        goal=f"{_mode(goal.ours)} {_sign(goal)} {goal.bound:,g} {goal.reported}",
        measured=_report(found, ""),
        processor="",
        holds=_holds(goal, found),
    )


def _mode(system: str) -> str:
    return f"`{system.removeprefix('penstock-')}`"


def _is_floor(goal: RatioGoal | FigureGoal) -> bool:
    """Whether more is better."""
    return WORKS[goal.work].is_rate and goal.part == "figure"


def _sign(goal: RatioGoal | FigureGoal) -> str:
    return "≥" if _is_floor(goal) else "≤"


def _holds(goal: RatioGoal | FigureGoal, found: Spread | None) -> bool | None:
    if found is None:
        return None
    return found.middle >= goal.bound if _is_floor(goal) else found.middle <= goal.bound


def _judge_own(goal: OwnGoal, own: Mapping[str, Spread]) -> Verdict:
    found = own.get(goal.name)
    work = goal.work
    if work == MANY and "waiting" in own:
        work = f"{own['waiting'].middle:,.0f} waiting"  # a quick run has fewer, and says so
    return Verdict(
        work=work,
        goal=goal.reported,
        measured=_report(found, ""),
        processor="",
        holds=None if found is None else _is_kept(goal, found.middle),
    )


def _is_kept(goal: OwnGoal, value: float) -> bool:
    return value < goal.bound if goal.is_strict else value <= goal.bound


def _report(found: Spread | None, unit: str) -> str:
    if found is None:
        return ""
    return tell_spread(found, unit)


def tell_spread(found: Spread, unit: str = "") -> str:
    """Return the median, with what lies around it if that is something else."""
    text = f"{tell_number(found.middle)}{unit}"
    if found.low == found.high:
        return text
    return f"{text} ({tell_number(found.low)} to {tell_number(found.high)})"


def tell_number(value: float) -> str:
    """Return a number with three digits that count, or whole."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
