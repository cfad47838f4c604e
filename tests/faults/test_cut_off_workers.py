"""Workers that are cut off while they run, and come back with results that nobody waits for."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest

from tests.faults.oracle import decide
from tests.faults.reliability_table import Row
from tests.faults.rig import Rig, rigged
from tests.faults.severed_link import linked
from tests.faults.worker_process import own_worker
from tests.support.waiting import eventually

CUT_OFF_S = 90.0
EACH = 4


def late_results(rig: Rig) -> int:
    """Return how many results were refused because their lease had been taken over."""
    for line in rig.system.http.get("/metrics").text.splitlines():
        if line.startswith("penstock_late_results_total "):
            return int(float(line.split()[1]))
    return 0


@pytest.mark.faults
@pytest.mark.timeout(240)
def test_the_late_results_of_workers_that_were_cut_off_are_refused(
    tmp_path: Path, row: Row
) -> None:
    row.begin(
        f"of 3 workers one stopped (SIGSTOP) and one cut off from Redis (its link forwards "
        f"nothing) for {CUT_OFF_S:g} s, each while running {EACH} calls",
        goal="each call ends once; every late result refused",
    )
    with (
        rigged(tmp_path, "--workers", "1", "--runners", "4") as rig,
        linked(str(rig.redis.folder / "redis.sock")) as link,
        own_worker(rig, runners=EACH) as stopped,
        own_worker(rig, redis=link.url, runners=EACH),
    ):
        callers = rig.callers("work", lambda n: {"number": n, "pause_s": 20.0})
        reported = callers.make(3 * EACH)
        eventually(lambda: len(rig.witness.runs()) == 3 * EACH, within_s=10)

        stopped.send_signal(signal.SIGSTOP)
        link.cut()
        threading.Event().wait(CUT_OFF_S)
        before = len([run for run in rig.witness.runs() if run.ended_s])
        stopped.send_signal(signal.SIGCONT)
        link.mend()
        verdict = decide(rig, reported)

        again = [runs for runs in verdict.runs.values() if len(runs) == 2]
        refused = eventually(lambda: late_results(rig), within_s=15, every_s=0.2)
        row.report(f"{len(again)} taken over, {refused} late results refused")
        row.judged(verdict)
        assert before == 5 * EACH  # everything had run to its end on both sides of the cut
        assert len(again) == 2 * EACH
        assert refused >= EACH
        assert {record["attempt"] for record in verdict.records.values()} == {1, 2}
