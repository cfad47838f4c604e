"""Hosts whose clocks are ten minutes off: time is Redis's, so nothing happens."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.calling import Callers
from tests.faults.oracle import decide
from tests.faults.own_gateway import own_gateway
from tests.faults.reliability_table import Row
from tests.faults.rig import rigged
from tests.faults.shifted_clock import build_clock, shifted_by
from tests.faults.worker_process import own_worker
from tests.support.receiver import receiving

OFF_S = 600
CALLS = 200
LONG = 12
LONG_S = 12.0
DELAY_S = 5
IN_TIME_S = 5.0


@pytest.mark.faults
@pytest.mark.timeout(150)
def test_clocks_ten_minutes_off_cause_no_duplicate_and_no_early_end(
    tmp_path: Path, row: Row
) -> None:
    row.begin(
        f"a gateway and a worker {OFF_S // 60} min ahead, a worker {OFF_S // 60} min behind, "
        "one right",
        goal="no duplicate, no early timeout or expiry, delays kept, signatures in time",
    )
    clock = build_clock(tmp_path)
    with (
        receiving() as receiver,
        rigged(tmp_path, "--workers", "1", "--runners", "6") as rig,
        own_worker(rig, runners=6, environment=shifted_by(clock, OFF_S)) as ahead,
        own_worker(rig, runners=6, environment=shifted_by(clock, -OFF_S)) as behind,
        own_gateway(rig, shifted_by(clock, OFF_S)) as fast_gateway,
    ):
        right = {process.pid for process in rig.parts("worker")}
        callback = {"X-Callback-Url": receiver.url("/ok")}
        long = rig.callers(
            "work", lambda n: {"number": n, "pause_s": LONG_S}, headers=lambda _: callback
        )
        running = long.make(LONG)
        short = [
            Callers(
                base_url,
                "work",
                lambda n: {"number": n},
                headers=lambda _: callback,
                query=lambda _: f"?max_age=1m&delay={DELAY_S}",
                name=base_url,
            )
            for base_url in (rig.system.base_url, fast_gateway)
        ]
        reported = [answer for callers in short for answer in callers.make(CALLS)]
        verdict = decide(rig, [*running, *reported], receiver=receiver)

        late_s = sorted(
            verdict.runs[answer.id][0].began_s - answer.at_s - answer.took_s - DELAY_S
            for answer in reported
        )
        off_s = max(
            abs(int(r.headers["webhook-timestamp"]) - time.time()) for r in receiver.requests
        )
        who = {int(record["worker"].rsplit("-", 2)[-2]) for record in verdict.records.values()}
        row.report(f"delayed calls {late_s[0]:.2f} to {late_s[-1]:.2f} s late, {len(who)} workers")
        row.judged(verdict)
        assert verdict.run_again == 0
        assert {ahead.pid, behind.pid} <= who
        assert who & right
        assert late_s[0] >= -0.5
        assert late_s[-1] <= LONG_S + IN_TIME_S
        assert off_s < OFF_S / 2
