"""Every message handed on twice: the token of an attempt admits one ending of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.oracle import decide
from tests.faults.reliability_table import Row
from tests.faults.rig import rigged
from tests.faults.worker_process import own_worker
from tests.support.receiver import receiving


@pytest.mark.timeout(90)
@pytest.mark.parametrize("calls", [100, pytest.param(2_000, marks=pytest.mark.faults)])
def test_every_message_delivered_twice_ends_once(tmp_path: Path, row: Row, calls: int) -> None:
    row.begin(
        f"a worker that is handed every message twice, {calls:,} calls with a callback, half of "
        "which ask to be run again",
        goal="one ending and one delivery each",
    )
    elsewhere = {"PENSTOCK_QUEUES": "elsewhere"}
    # A beat in between would tell that the second run of what has ended is nobody's, and end it.
    seldom = {"PENSTOCK_LEASE_MS": "180000", "PENSTOCK_HEARTBEAT_MS": "60000"}
    with (
        receiving() as receiver,
        rigged(tmp_path, "--workers", "1", environment=elsewhere) as rig,
        own_worker(rig, module="tests.faults.twice_worker", environment=seldom) as twice,
    ):
        callback = {"X-Callback-Url": receiver.url("/ok")}
        once = rig.callers("work", lambda n: {"number": n}, headers=lambda _: callback)
        again = rig.callers(
            "second_time", lambda n: {"number": n, "after_s": 0.5}, headers=lambda _: callback
        )
        reported = [*once.make(calls // 2), *again.make(calls // 2)]
        verdict = row.judged(decide(rig, reported, receiver=receiver, runs_per_attempt=2))

        pids = {int(record["worker"].rsplit("-", 2)[-2]) for record in verdict.records.values()}
        assert pids == {twice.pid}
        assert verdict.ended_twice == calls
        assert len(receiver.requests) == calls
