"""Workers and runners die all the time; what they ran is taken over."""

from __future__ import annotations

import random
from pathlib import Path

import psutil
import pytest

from tests.faults.deaths import repeating
from tests.faults.oracle import decide
from tests.faults.recovery import percentile
from tests.faults.reliability_table import Row
from tests.faults.rig import Rig, rigged
from tests.support.receiver import receiving


def kill_somebody(rig: Rig, chance: random.Random) -> None:
    """Kill a worker, or a process that runs a function."""
    victims = rig.parts("worker")
    if chance.random() < 0.5:
        victims = [runner for worker in victims for runner in busy_runners(rig, worker)] or victims
    rig.deaths.kill(chance.choice(victims))


def busy_runners(rig: Rig, worker: psutil.Process) -> list[psutil.Process]:
    """Return the processes below a worker in which something runs."""
    running = {run.pid for run in rig.witness.runs() if run.ended_s is None}
    try:
        return [child for child in worker.children(recursive=True) if child.pid in running]
    except psutil.NoSuchProcess:
        return []


@pytest.mark.faults
@pytest.mark.timeout(300)
def test_what_killed_workers_ran_is_taken_over_within_15_s(tmp_path: Path, row: Row) -> None:
    row.begin(
        "10,000 calls, every tenth with a callback; a random worker or runner killed every 5 s",
        goal="recovery p99 ≤ 15 s, max ≤ 30 s",
    )
    chance = random.Random(6)
    flags = ("--workers", "4", "--runners", "4", "--gateways", "2")
    with receiving() as receiver, rigged(tmp_path, *flags) as rig:
        callers = rig.callers(
            "work",
            lambda n: {"number": n, "pause_s": 0.1},
            headers=lambda n: {} if n % 10 else {"X-Callback-Url": receiver.url("/ok")},
        )

        reported = callers.make(10_000)
        with repeating(5, lambda: kill_somebody(rig, chance)):
            verdict = decide(rig, reported, receiver=receiver, within_s=200)

        row.report(f"{rig.deaths.kills} kills, {len(receiver.requests):,} callback requests")
        row.judged(verdict)
        assert len(verdict.recovery_s) >= 10
        assert percentile(verdict.recovery_s, 0.99) <= 15
        assert verdict.recovery_s[-1] <= 30
