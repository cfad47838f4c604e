"""Delays while workers and gateways are killed and restarted throughout."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import pytest

from tests.faults.deaths import repeating
from tests.faults.oracle import decide
from tests.faults.recovery import percentile
from tests.faults.reliability_table import Row
from tests.faults.rig import Rig, rigged

DELAYED = 1_000


def kill_part(rig: Rig, chance: random.Random) -> None:
    """Kill a worker or, less often, the gateway with all its processes."""
    kind = chance.choice(["worker", "worker", "worker", "gateway"])
    rig.deaths.kill(chance.choice(rig.parts(kind)))


def timestamp_of(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.faults
@pytest.mark.timeout(200)
def test_delayed_invocations_start_at_their_time_and_once(tmp_path: Path, row: Row) -> None:
    row.begin(
        f"{DELAYED:,} delayed calls; a worker or the gateway killed every 5 s",
        goal="none early, p99 ≤ 1 s late but for those that were taken over",
    )
    chance = random.Random(2)
    delays_s = [chance.uniform(10, 40) for _ in range(DELAYED)]
    with rigged(tmp_path, "--workers", "4", "--gateways", "2") as rig:
        callers = rig.callers(
            "work", lambda n: {"number": n}, query=lambda n: f"?delay={delays_s[n]:.3f}"
        )

        reported = callers.make(DELAYED)
        with repeating(5, lambda: kill_part(rig, chance)):
            verdict = decide(rig, reported, within_s=90)

        first = {one: record["attempts"][0] for one, record in verdict.records.items()}
        late_s = sorted(
            timestamp_of(first[one]["started_at"]) - timestamp_of(record["scheduled_for"])
            for one, record in verdict.records.items()
        )
        row.report(
            f"{rig.deaths.kills} kills; late p50 {late_s[DELAYED // 2] * 1000:.0f} ms, "
            f"p99 {percentile(late_s, 0.99):.2f} s, max {late_s[-1]:.1f} s"
        )
        row.judged(verdict)
        assert late_s[0] >= 0
        assert percentile(late_s, 0.99) <= 1
