"""The master of a Redis with sentinels is killed, again and again."""

from __future__ import annotations

import itertools
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.oracle import decide
from tests.faults.refusals import refusals_of
from tests.faults.reliability_table import Row
from tests.faults.rig import rigged
from tests.faults.watched_part import WatchedPart
from tests.support.sentinels import watched_redis

PER_S = 50
TIMES = 10
OUTAGE_S = 5.0


@pytest.mark.faults
@pytest.mark.timeout(400)
def test_a_killed_master_costs_seconds_and_no_acknowledged_call(tmp_path: Path, row: Row) -> None:
    row.begin(
        f"Sentinel (1 master, 2 replicas, 3 sentinels): the master killed {TIMES} times under "
        f"{PER_S} requests/s",
        goal=f"outage ≤ {OUTAGE_S:g} s, nothing acknowledged lost",
    )
    with (
        watched_redis(tmp_path) as watched,
        closing(WatchedPart(tmp_path, watched)) as redis,
        rigged(tmp_path, "--workers", "2", redis=redis) as rig,
    ):
        callers = rig.callers("work", lambda n: {"number": n}, threads=16)
        with callers.calling(PER_S) as reported:
            for _ in range(TIMES):
                redis.await_whole()
                redis.fail_over()
            redis.await_whole()
        # Deposed while it lives, a master loses what it goes on to acknowledge: not our matter.
        assert not redis.deposed, "too busy a machine: sentinels deposed a master that lived"
        verdict = decide(rig, reported)

        at_s = sorted(answer.at_s + answer.took_s for answer in reported if answer.id)
        outages_s = sorted(after - before for before, after in itertools.pairwise(at_s))
        statuses = {refusal.status for refusal in refusals_of(reported)}
        row.report(f"outages {outages_s[-TIMES]:.1f} to {outages_s[-1]:.1f} s")
        row.judged(verdict)
        assert statuses <= {503}
        assert outages_s[-1] <= OUTAGE_S
