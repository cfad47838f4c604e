"""The goals: what Penstock promises of its speed, each judged by what was measured.

A goal that was not measured says so; one that is missed says so too. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.bench.results import Results, Spread
from tests.bench.works import BY_NAME as WORKS

_CELERY = ("celery-prefork", "celery-threads")
_PROCESS, _THREAD = "penstock-process", "penstock-thread"


_MANY = "1,000,000 waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioGoal:
    """Our figure beside somebody's, the best of them where several are named.

    `their_work` is what they do, where that is not the same.
    """

    work: str
    ours: str
    theirs: tuple[str, ...]
    told: str
    bound: float
    their_work: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnGoal:
    """A figure of ours alone, and the most it may be."""

    work: str
    name: str
    told: str
    bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One row of the table of goals; `holds` is None for what was not measured."""

    work: str
    goal: str
    measured: str
    processor: str
    holds: bool | None


def _beside_open(plain: str, bounds: Mapping[str, float]) -> tuple[RatioGoal, ...]:
    """Return goals of what production shows beside our own call that shows nothing."""
    return tuple(
        RatioGoal(
            work=f"{plain}-{name}",
            ours=_PROCESS,
            theirs=(_PROCESS,),
            told="our own call that shows nothing",
            bound=bound,
            their_work=plain,
        )
        for name, bound in bounds.items()
    )


_KEYED_GOALS = (
    RatioGoal(
        work="accept-keyed", ours=_PROCESS, theirs=("bullmq",), told="Fastify + BullMQ", bound=1.5
    ),
    RatioGoal(
        work="wait-keyed", ours=_THREAD, theirs=("bullmq",), told="Fastify + BullMQ", bound=1.5
    ),
    RatioGoal(
        work="wait-keyed", ours=_PROCESS, theirs=("bullmq",), told="Fastify + BullMQ", bound=1.2
    ),
    RatioGoal(
        work="accept-keyed", ours=_PROCESS, theirs=_CELERY, told="FastAPI + Celery, best", bound=15
    ),
    RatioGoal(
        work="wait-keyed", ours=_PROCESS, theirs=_CELERY, told="FastAPI + Celery, best", bound=10
    ),
    RatioGoal(
        work="accept-keyed",
        ours=_PROCESS,
        theirs=("echo",),
        told="a bare Falcon echo of JSON",
        bound=0.6,
        their_work="accept",
    ),
    RatioGoal(work="accept-all-of-it", ours=_PROCESS, theirs=("bullmq",), told="BullMQ", bound=1.5),
    *_beside_open(
        "accept",
        {
            "keyed": 0.85,
            "traced": 0.8,
            "idempotent": 0.65,
            "with-options": 0.8,
            "with-charset": 1.0,
            "with-20-headers": 0.9,
            "with-callback": 0.6,
            "all-of-it": 0.5,
        },
    ),
    *_beside_open(
        "wait",
        {
            "keyed": 0.95,
            "traced": 0.9,
            "idempotent": 0.9,
            "with-options": 0.9,
            "with-charset": 0.9,
            "with-20-headers": 0.9,
            "all-of-it": 0.8,
        },
    ),
)
RATIO_GOALS = (
    *_KEYED_GOALS,
    RatioGoal(
        work="accept", ours=_PROCESS, theirs=_CELERY, told="FastAPI + Celery, its best", bound=10
    ),
    RatioGoal(work="accept", ours=_PROCESS, theirs=("bullmq",), told="Fastify + BullMQ", bound=1.2),
    RatioGoal(work="accept", ours=_PROCESS, theirs=("echo",), told="a bare Falcon echo", bound=0.6),
    RatioGoal(
        work="accept",
        ours=_PROCESS,
        theirs=("echo-bytes",),
        told="a Falcon echo that reads no JSON",
        bound=0.6,
    ),
    RatioGoal(
        work="wait", ours=_PROCESS, theirs=_CELERY, told="FastAPI + Celery, its best", bound=8
    ),
    RatioGoal(work="wait", ours=_THREAD, theirs=("bullmq",), told="Fastify + BullMQ", bound=1.5),
    RatioGoal(work="wait", ours=_PROCESS, theirs=("bullmq",), told="Fastify + BullMQ", bound=1.0),
    RatioGoal(work="drain", ours=_THREAD, theirs=("bullmq",), told="BullMQ", bound=1.3),
    RatioGoal(work="drain", ours=_THREAD, theirs=("dramatiq",), told="stock Dramatiq", bound=4),
    RatioGoal(
        work="drain", ours=_THREAD, theirs=("celery-prefork",), told="Celery prefork", bound=15
    ),
    RatioGoal(
        work="drain", ours=_THREAD, theirs=("celery-threads",), told="Celery threads", bound=15
    ),
    RatioGoal(work="drain", ours=_PROCESS, theirs=("dramatiq",), told="stock Dramatiq", bound=2.5),
    RatioGoal(
        work="drain", ours=_PROCESS, theirs=("celery-prefork",), told="Celery prefork", bound=9
    ),
    RatioGoal(work="idle", ours=_PROCESS, theirs=("bullmq",), told="BullMQ", bound=0.5),
    RatioGoal(work="idle", ours=_PROCESS, theirs=_CELERY, told="Celery, its best", bound=0.3),
    RatioGoal(work="idle", ours=_THREAD, theirs=("bullmq",), told="BullMQ", bound=0.5),
    RatioGoal(work="idle", ours=_THREAD, theirs=_CELERY, told="Celery, its best", bound=0.3),
)
OWN_GOALS = (
    OwnGoal(
        work=_MANY,
        name="accept_p99_ratio",
        told="accept p99 ≤ 2 × that of an empty queue",  # noqa: RUF001 - for people
        bound=2,
    ),
    OwnGoal(
        work=_MANY,
        name="bytes_each",
        told="≤ 1,536 bytes of Redis memory each beyond the payload",
        bound=1536,
    ),
    OwnGoal(
        work="at rest",
        name="commands_per_worker_s",
        told="< 5 Redis commands/s for each worker process",
        bound=5,
    ),
    OwnGoal(work="at rest", name="ready_s", told="`up` is ready in ≤ 3 s", bound=3),
    OwnGoal(work="at rest", name="resident_mb", told="≤ 300 MB resident in all", bound=300),
)


def judge(results: Results, own: Mapping[str, Spread]) -> list[Verdict]:
    """Return a row for every goal."""
    return [_judge_ratio(goal, results) for goal in RATIO_GOALS] + [
        _judge_own(goal, own) for goal in OWN_GOALS
    ]


def _judge_ratio(goal: RatioGoal, results: Results) -> Verdict:
    is_rate = WORKS[goal.work].is_rate
    mode = goal.ours.removeprefix("penstock-")
    found = results.ratio(goal.work, goal.ours, goal.theirs, their_work=goal.their_work)
    met = None
    if found is not None:
        met = found.middle >= goal.bound if is_rate else found.middle <= goal.bound
    return Verdict(
        work=WORKS[goal.work].title,
        goal=f"`{mode}` {'≥' if is_rate else '≤'} {goal.bound:g} × {goal.told}",  # noqa: RUF001 - for people
        measured=_tell(found, " ×"),  # noqa: RUF001 - for people
        processor=_tell(
            results.processor_ratio(goal.work, goal.ours, goal.theirs, their_work=goal.their_work),
            "",
        ),
        holds=met,
    )


def _judge_own(goal: OwnGoal, own: Mapping[str, Spread]) -> Verdict:
    found = own.get(goal.name)
    work = goal.work
    if work == _MANY and "waiting" in own:
        work = f"{own['waiting'].middle:,.0f} waiting"  # a quick run has fewer, and says so
    return Verdict(
        work=work,
        goal=goal.told,
        measured=_tell(found, ""),
        processor="",
        holds=None if found is None else found.middle <= goal.bound,
    )


def _tell(found: Spread | None, unit: str) -> str:
    if found is None:
        return ""
    text = f"{tell_number(found.middle)}{unit}"
    if found.low == found.high:
        return text
    return f"{text} ({tell_number(found.low)} to {tell_number(found.high)})"


def tell_number(value: float) -> str:
    """Return a number with three digits that count, or whole."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
