"""A Redis without memory, and one without room on its disk: refused truthfully, work kept."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.oracle import decide
from tests.faults.refusals import refusals_of, require_truthful, resumed_after_s
from tests.faults.reliability_table import Row
from tests.faults.rig import Rig, rigged
from tests.support.waiting import eventually

FULL_S = 15.0
RESUMED_WITHIN_S = 10.0
RUNNING = 8


@contextmanager
def without_memory(rig: Rig) -> Iterator[None]:
    """Allow Redis no more memory than it has."""
    rig.redis.command("CONFIG", "SET", "maxmemory", "1mb")
    try:
        yield
    finally:
        rig.redis.command("CONFIG", "SET", "maxmemory", "0")


@contextmanager
def without_disk(rig: Rig) -> Iterator[None]:
    """Allow the files of Redis no more bytes than they have: each further write fails."""
    files = Path(rig.redis.folder).rglob("*.aof")
    most = max(file.stat().st_size for file in files)
    _, hard = resource.prlimit(rig.redis.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(rig.redis.pid, resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.prlimit(rig.redis.pid, resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.faults
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (without_memory, "Redis out of memory (noeviction)"),
        (without_disk, "Redis cannot write its append-only file (MISCONF)"),
    ],
)
def test_a_full_redis_is_told_truthfully_running_work_is_kept_and_all_resumes(
    tmp_path: Path, row: Row, fault: Callable[[Rig], Iterator[None]], what: str
) -> None:
    row.begin(
        f"{what} for {FULL_S:g} s under 50 requests/s, {RUNNING} long calls running",
        goal="503 p99 ≤ 1.5 s; running calls are not run again; resumed ≤ 10 s",
    )
    with rigged(tmp_path, "--workers", "2", "--runners", "8") as rig:
        long = rig.callers("work", lambda n: {"number": n, "pause_s": 8.0})
        short = rig.callers("work", lambda n: {"number": 100 + n}, name="short", threads=16)

        running = long.make(RUNNING)
        eventually(lambda: len(rig.witness.runs()) == RUNNING)
        with short.calling(50) as reported:
            threading.Event().wait(2)
            with fault(rig):  # type: ignore[attr-defined]
                threading.Event().wait(FULL_S)
            back_at_s = time.monotonic()
            threading.Event().wait(RESUMED_WITHIN_S)
        verdict = decide(rig, [*running, *reported])

        row.report(require_truthful(refusals_of(reported)))
        resumed_s = resumed_after_s(reported, back_at_s)
        row.report(f"resumed after {resumed_s:.2f} s")
        row.judged(verdict)
        assert resumed_s <= RESUMED_WITHIN_S
        assert [len(verdict.runs[answer.id]) for answer in running] == [1] * RUNNING
        ended_s = max(verdict.runs[a.id][0].ended_s or 0 for a in running)
        assert ended_s < back_at_s  # they ended while nobody could write it down
