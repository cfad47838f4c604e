"""Everything is restarted, one after the other, under load; nobody notices."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
import pytest

from tests.faults.oracle import decide
from tests.faults.recovery import percentile
from tests.faults.refusals import refusals_of
from tests.faults.reliability_table import Row
from tests.faults.rig import Rig, rigged
from tests.support.waiting import eventually

PER_S = 200
ROUNDS = 5
# Between rounds: a part that lives shorter than 10 s is held to be sick and started later.
ROUND_S = 11.0


def restart(rig: Rig, kind: str, process: psutil.Process) -> None:
    """Ask a part to stop, as an operator does, and wait until another is in its place."""
    process.terminate()

    def is_replaced() -> bool:
        now = {part.pid for part in rig.parts(kind)}
        return process.pid not in now and len(now) == count

    count = len(rig.parts(kind))
    eventually(is_replaced, within_s=30, every_s=0.05)


def await_workers(rig: Rig) -> None:
    """Wait until the workers that run are those that the system knows."""
    pids = {process.pid for process in rig.parts("worker")}

    def known() -> bool:
        answer = rig.system.http.get("/workers")
        return answer.is_success and {w["pid"] for w in answer.json()["items"]} == pids

    eventually(known, within_s=20, every_s=0.1)


@pytest.mark.faults
@pytest.mark.timeout(400)
def test_rolling_restarts_fail_lose_and_repeat_nothing(tmp_path: Path, row: Row) -> None:
    row.begin(
        f"all workers and gateways restarted in turn {ROUNDS} times under {PER_S} requests/s "
        "(clients do not repeat)",
        goal="0 failed, 0 lost, 0 run twice",
    )
    with rigged(tmp_path, "--workers", "2", "--gateways", "2") as rig:
        callers = rig.callers(
            "work",
            lambda n: {"number": n, "pause_s": 0.02},
            threads=32,
            keeps_connections=False,
        )
        with callers.calling(PER_S) as reported:
            for number in range(ROUNDS):
                threading.Event().wait(ROUND_S if number else 1)
                for worker in rig.parts("worker"):
                    restart(rig, "worker", worker)
                    await_workers(rig)
                for gateway in rig.parts("gateway"):
                    restart(rig, "gateway", gateway)
                    eventually(
                        lambda: rig.system.http.get("/readyz").is_success, within_s=20, every_s=0.1
                    )
            threading.Event().wait(1)
        verdict = decide(rig, reported)

        took_s = sorted(answer.took_s for answer in reported)
        row.report(
            f"{ROUNDS * 3} restarts; accepted within p50 {took_s[len(took_s) // 2] * 1000:.0f} ms, "
            f"p99 {percentile(took_s, 0.99):.2f} s, max {took_s[-1]:.2f} s"
        )
        row.judged(verdict)
        assert refusals_of(reported) == []
        assert verdict.run_again == 0
