"""Redis is away for a minute while retries and deliveries wait: all go out soon after."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.faults.oracle import decide
from tests.faults.reliability_table import Row
from tests.faults.rig import rigged
from tests.support.receiver import busy, receiving, status
from tests.support.waiting import eventually

PENDING = 1_000
AWAY_S = 60
DUE_IN_S = 55  # while Redis is away
OUT_WITHIN_S = 30


@pytest.mark.faults
@pytest.mark.timeout(240)
def test_what_waited_while_redis_was_away_goes_out_within_30_s_of_its_return(
    tmp_path: Path, row: Row
) -> None:
    row.begin(
        f"Redis away for {AWAY_S} s with {PENDING:,} retries and {PENDING:,} deliveries pending",
        goal=f"all out ≤ {OUT_WITHIN_S} s after its return, from the same worker processes",
    )
    with receiving() as receiver, rigged(tmp_path, "--workers", "2") as rig:
        receiver.behave("/ok", busy(DUE_IN_S))
        retried = rig.callers("second_time", lambda n: {"number": n, "after_s": DUE_IN_S})
        delivered = rig.callers(
            "work",
            lambda n: {"number": n},
            headers=lambda _: {"X-Callback-Url": receiver.url("/ok")},
        )

        reported = retried.make(PENDING)
        with_callback = delivered.make(PENDING)
        due = rig.redis.key("due", "default")
        deliveries = rig.redis.key("deliveries_due")
        undelivered = rig.redis.key("deliveries", "pending")
        eventually(lambda: rig.redis.command("ZCARD", due) == PENDING, within_s=30)
        eventually(lambda: rig.redis.command("ZCARD", deliveries) == PENDING, within_s=45)
        workers = {process.pid for process in rig.parts("worker")}
        rig.redis.kill()
        receiver.behave("/ok", status(200))
        threading.Event().wait(AWAY_S)
        rig.redis.start()
        back_at_s = time.monotonic()
        ends_at_s = back_at_s + OUT_WITHIN_S
        eventually(lambda: not rig.redis.command("ZCARD", due), within_s=OUT_WITHIN_S)
        eventually(
            lambda: not rig.redis.command("ZCARD", undelivered),
            within_s=ends_at_s - time.monotonic(),
        )
        out_s = time.monotonic() - back_at_s

        row.report(f"all out after {out_s:.1f} s")
        same = {process.pid for process in rig.parts("worker")}
        verdict = row.judged(decide(rig, [*reported, *with_callback], receiver=receiver))
        assert same == workers
        assert verdict.run_again == PENDING
        assert len(receiver.requests) == 2 * PENDING
