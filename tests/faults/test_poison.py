"""Calls that kill the process they run in, among many that do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.oracle import decide
from tests.faults.reliability_table import Row
from tests.faults.rig import rigged

POISONED = 20
GOOD = 2_000


@pytest.mark.faults
@pytest.mark.timeout(120)
def test_poison_ends_as_worker_lost_after_three_attempts_and_harms_nobody(
    tmp_path: Path, row: Row
) -> None:
    row.begin(
        f"{POISONED} calls that kill their own runner among {GOOD:,} good ones",
        goal="each `worker_lost` after exactly 3 attempts, the good run once",
    )
    with rigged(tmp_path, "--workers", "2", "--runners", "4") as rig:
        harmless = rig.callers("work", lambda n: {"number": n, "pause_s": 0.02})
        harmful = rig.callers("poison", lambda n: {"number": n})

        before = harmless.make(GOOD // 2)
        poison = harmful.make(POISONED)
        after = rig.callers("work", lambda n: {"number": n}, name="later").make(GOOD // 2)
        reported = [*before, *poison, *after]
        verdict = row.judged(decide(rig, reported, endings=frozenset({"succeeded", "failed"})))

        killed = [verdict.records[answer.id] for answer in poison]
        unharmed = [verdict.records[answer.id] for answer in (*before, *after)]
        row.report(f"{sum(record['attempt'] for record in killed)} runners killed")
        assert {(r["status"], r["attempt"], r["error"]["type"]) for r in killed} == {
            ("failed", 3, "worker_lost")
        }
        assert {len(verdict.runs[r["id"]]) for r in killed} == {3}
        assert {(r["status"], r["attempt"]) for r in unharmed} == {("succeeded", 1)}
        assert {len(verdict.runs[r["id"]]) for r in unharmed} == {1}
