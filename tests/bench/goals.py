"""The goals: what Penstock promises of its speed (`verdicts.py` judges them)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.bench.results import Part
from tests.bench.systems import BEFORE

_CELERY = ("celery-prefork", "celery-threads")
_PROCESS, _THREAD = "penstock-process", "penstock-thread"
_CARRIERS = ("bullmq", "taskiq", "arq", "dramatiq", *_CELERY)
_WAITERS = ("bullmq", "taskiq", "arq", "celery-gevent")
MANY = "1,000,000 waiting"
_PACKAGES = "packages"
_BY_HAND = "`uv venv` and `uv pip sync` by hand, with bytecode"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioGoal:
    """Our figure beside somebody's, the best of them where several are named.

    `their_work` is what they do, where that is not the same; `part` what is compared, where that is
    not the figure of the work.
    """

    work: str
    ours: str
    theirs: tuple[str, ...]
    reported: str
    bound: float
    their_work: str = ""
    part: Part = "figure"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureGoal:
    """Our figure of a work as it is: the least it may be of a rate, else the most."""

    work: str
    ours: str
    reported: str
    bound: float
    part: Part = "figure"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnGoal:
    """What is measured of ours alone, beside the works, and the most it may be.

    `is_strict` where the bound itself is too much.
    """

    work: str
    name: str
    reported: str
    bound: float
    is_strict: bool = False


def _beside_open(plain: str, bounds: Mapping[str, float]) -> tuple[RatioGoal, ...]:
    """Return goals of what production shows beside our own call that shows nothing."""
    return tuple(
        RatioGoal(
            work=f"{plain}-{name}",
            ours=_PROCESS,
            theirs=(_PROCESS,),
            reported="our own call that shows nothing",
            bound=bound,
            their_work=plain,
        )
        for name, bound in bounds.items()
    )


_KEYED_GOALS = (
    RatioGoal(
        work="accept-keyed",
        ours=_PROCESS,
        theirs=("bullmq",),
        reported="Fastify + BullMQ",
        bound=1.5,
    ),
    RatioGoal(
        work="wait-keyed", ours=_THREAD, theirs=("bullmq",), reported="Fastify + BullMQ", bound=1.5
    ),
    RatioGoal(
        work="wait-keyed", ours=_PROCESS, theirs=("bullmq",), reported="Fastify + BullMQ", bound=1.2
    ),
    RatioGoal(
        work="accept-keyed",
        ours=_PROCESS,
        theirs=_CELERY,
        reported="FastAPI + Celery, best",
        bound=15,
    ),
    RatioGoal(
        work="wait-keyed",
        ours=_PROCESS,
        theirs=_CELERY,
        reported="FastAPI + Celery, best",
        bound=10,
    ),
    RatioGoal(
        work="accept-keyed",
        ours=_PROCESS,
        theirs=("echo",),
        reported="a bare Falcon echo of JSON",
        bound=0.6,
        their_work="accept",
    ),
    RatioGoal(
        work="accept-all-of-it", ours=_PROCESS, theirs=("bullmq",), reported="BullMQ", bound=1.5
    ),
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
        work="accept",
        ours=_PROCESS,
        theirs=_CELERY,
        reported="FastAPI + Celery, its best",
        bound=10,
    ),
    RatioGoal(
        work="accept", ours=_PROCESS, theirs=("bullmq",), reported="Fastify + BullMQ", bound=1.2
    ),
    RatioGoal(
        work="accept", ours=_PROCESS, theirs=("echo",), reported="a bare Falcon echo", bound=0.6
    ),
    RatioGoal(
        work="accept",
        ours=_PROCESS,
        theirs=("echo-bytes",),
        reported="a Falcon echo that reads no JSON",
        bound=0.6,
    ),
    RatioGoal(
        work="wait", ours=_PROCESS, theirs=_CELERY, reported="FastAPI + Celery, its best", bound=8
    ),
    RatioGoal(
        work="wait", ours=_THREAD, theirs=("bullmq",), reported="Fastify + BullMQ", bound=1.5
    ),
    RatioGoal(
        work="wait", ours=_PROCESS, theirs=("bullmq",), reported="Fastify + BullMQ", bound=1.0
    ),
    RatioGoal(work="drain", ours=_THREAD, theirs=("bullmq",), reported="BullMQ", bound=1.8),
    RatioGoal(work="drain", ours=_PROCESS, theirs=("bullmq",), reported="BullMQ", bound=1.3),
    RatioGoal(work="drain", ours=_THREAD, theirs=("dramatiq",), reported="stock Dramatiq", bound=4),
    RatioGoal(
        work="drain", ours=_THREAD, theirs=("celery-prefork",), reported="Celery prefork", bound=15
    ),
    RatioGoal(
        work="drain", ours=_THREAD, theirs=("celery-threads",), reported="Celery threads", bound=15
    ),
    RatioGoal(
        work="drain", ours=_PROCESS, theirs=("dramatiq",), reported="stock Dramatiq", bound=2.5
    ),
    RatioGoal(
        work="drain", ours=_PROCESS, theirs=("celery-prefork",), reported="Celery prefork", bound=9
    ),
    RatioGoal(work="lone", ours=_PROCESS, theirs=("bullmq",), reported="BullMQ", bound=0.5),
    RatioGoal(work="lone", ours=_PROCESS, theirs=_CELERY, reported="Celery, its best", bound=0.3),
    RatioGoal(work="lone", ours=_THREAD, theirs=("bullmq",), reported="BullMQ", bound=0.5),
    RatioGoal(work="lone", ours=_THREAD, theirs=_CELERY, reported="Celery, its best", bound=0.3),
    RatioGoal(work="steady", ours=_PROCESS, theirs=("bullmq",), reported="BullMQ", bound=1.0),
    RatioGoal(work="carry", ours=_PROCESS, theirs=_CARRIERS, reported="the best peer", bound=2.0),
    RatioGoal(work="sleepers", ours=_PROCESS, theirs=_WAITERS, reported="the best peer", bound=1.0),
    RatioGoal(
        work="naps-100ms", ours=_PROCESS, theirs=_WAITERS, reported="the best peer", bound=1.0
    ),
    RatioGoal(
        work="slow-http",
        ours=_PROCESS,
        theirs=("celery-threads", "celery-threads-400"),
        reported="Celery threads, its best",
        bound=1.0,
    ),
    *(
        RatioGoal(
            work=work,
            ours=_PROCESS,
            theirs=("bullmq",),
            reported="BullMQ, processor time",
            bound=1.0,
            part="processor_us",
        )
        for work in ("sleepers", "naps-100ms")
    ),
)


def _beside_before(work: str, ours: str, bound: float) -> RatioGoal:
    reported = "the commit before"
    return RatioGoal(work=work, ours=ours, theirs=(ours + BEFORE,), reported=reported, bound=bound)


# No commit is slower than the one before it; 2 % is what a quiet machine tells apart.
BEFORE_GOALS = (
    *(
        _beside_before(work, ours, 0.98)
        for work in ("wait", "wait-keyed", "accept", "accept-keyed", "drain")
        for ours in (_PROCESS, _THREAD)
    ),
    _beside_before("steady", _PROCESS, 1.02),
    _beside_before("lone", _PROCESS, 1.02),
)
FIGURE_GOALS = (
    FigureGoal(work="sleepers", ours=_PROCESS, reported="calls/s", bound=900),
    FigureGoal(
        work="sleepers",
        ours=_PROCESS,
        reported="MB held by all processes together",
        bound=400,
        part="memory_mb",
    ),
    FigureGoal(work="naps-100ms", ours=_PROCESS, reported="calls/s", bound=5000),
)
_PACKAGE_GOALS = (
    OwnGoal(
        work=_PACKAGES,
        name="packages_warm_ratio",
        reported="a warm call ≤ 1.1 × that of the same function without a block",  # noqa: RUF001 - for people
        bound=1.1,
    ),
    OwnGoal(
        work=_PACKAGES,
        name="packages_cold_ratio",
        reported="a cold call ≤ 0.25 × `uv run --script` of the same",  # noqa: RUF001 - for people
        bound=0.25,
    ),
    OwnGoal(
        work=_PACKAGES,
        name="packages_preload_ratio",
        reported="a cold call with pandas preloaded ≤ 0.05 × `uv run --script` of the same",  # noqa: RUF001 - for people
        bound=0.05,
    ),
    OwnGoal(
        work=_PACKAGES,
        name="packages_build_ratio",
        reported=f"a small build ≤ 1.3 × {_BY_HAND}",  # noqa: RUF001 - for people
        bound=1.3,
    ),
    OwnGoal(
        work=_PACKAGES,
        name="packages_build_large_ratio",
        reported=f"a build with pandas ≤ 1.3 × {_BY_HAND}",  # noqa: RUF001 - for people
        bound=1.3,
    ),
    OwnGoal(
        work=_PACKAGES,
        name="packages_edit_ratio",
        reported="an edit is live in ≤ 1 × the time of a file without a block",  # noqa: RUF001 - for people
        bound=1,
    ),
    OwnGoal(
        work=_PACKAGES,
        name="packages_edit_ms",
        reported="an edit is live in ≤ 2,000 ms",
        bound=2000,
    ),
    OwnGoal(
        work=_PACKAGES,
        name="packages_server_mib",
        reported="≤ 40 MiB for each warm environment without `preload`, shared pages divided",
        bound=40,
    ),
)
OWN_GOALS = (
    OwnGoal(
        work=MANY,
        name="accept_p99_ratio",
        reported="accept p99 ≤ 2 × that of an empty queue",  # noqa: RUF001 - for people
        bound=2,
    ),
    OwnGoal(
        work=MANY,
        name="bytes_each",
        reported="≤ 1,536 bytes of Redis memory each beyond the payload",
        bound=1536,
    ),
    OwnGoal(
        work="at rest",
        name="commands_per_worker_s",
        reported="< 4 Redis commands/s for each worker process",
        bound=4,
        is_strict=True,
    ),
    OwnGoal(
        work="at rest",
        name="threads_per_worker",
        reported="≤ 4 threads in each worker process",
        bound=4,
    ),
    OwnGoal(work="at rest", name="ready_s", reported="`up` is ready in ≤ 3 s", bound=3),
    OwnGoal(work="at rest", name="resident_mb", reported="≤ 300 MB resident in all", bound=300),
    *_PACKAGE_GOALS,
    OwnGoal(
        work="code",
        name="code_ratio",
        reported="`gateway` and `runtime` ≤ 1 × the lines of Python before",  # noqa: RUF001 - for people
        bound=1,
    ),
)
