"""Redis is killed and comes back, again and again: told truthfully, and nothing is lost."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.faults.oracle import decide
from tests.faults.refusals import refusals_of, require_truthful, resumed_after_s
from tests.faults.reliability_table import Row
from tests.faults.rig import rigged

PER_S = 100
TIMES = 10
AWAY_S = 2.0
BACK_S = 3.0


@pytest.mark.faults
@pytest.mark.timeout(180)
def test_a_killed_redis_is_told_truthfully_and_calls_resume_within_5_s(
    tmp_path: Path, row: Row
) -> None:
    row.begin(
        f"Redis killed {TIMES} times under {PER_S} requests/s, away {AWAY_S:g} s each time "
        "(append-only, everysec)",
        goal="503 with `Retry-After`, p99 ≤ 1.5 s; resumed ≤ 5 s after its return",
    )
    with rigged(tmp_path, "--workers", "2") as rig:
        callers = rig.callers("work", lambda n: {"number": n, "pause_s": 0.02}, threads=16)
        back_at_s = []

        with callers.calling(PER_S) as reported:
            for _ in range(TIMES):
                threading.Event().wait(BACK_S)
                rig.redis.kill()
                threading.Event().wait(AWAY_S)
                rig.redis.start()
                back_at_s.append(time.monotonic())
            threading.Event().wait(BACK_S)
        verdict = decide(rig, reported)

        resumed_s = max(resumed_after_s(reported, at_s) for at_s in back_at_s)
        row.report(require_truthful(refusals_of(reported)))
        row.report(f"resumed after at most {resumed_s:.2f} s")
        row.judged(verdict)
        assert resumed_s <= 5
