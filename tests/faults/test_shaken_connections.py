"""Connections to Redis that break all the time, and a Redis that hangs."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.faults.deaths import repeating
from tests.faults.oracle import decide
from tests.faults.refusals import refusals_of, require_truthful, resumed_after_s
from tests.faults.reliability_table import Row
from tests.faults.rig import Rig, rigged

CALLS = 10_000
KILLED_EVERY_S = 0.05
RECOVERED_WITHIN_S = 10.0


@pytest.mark.faults
@pytest.mark.timeout(240)
def test_nothing_is_lost_while_every_connection_is_killed_each_50_ms(
    tmp_path: Path, row: Row
) -> None:
    row.begin(
        f"every client connection of Redis killed each 50 ms during {CALLS:,} calls",
        goal="every call ends once",
    )
    with rigged(tmp_path, "--workers", "2") as rig:
        callers = rig.callers("work", lambda n: {"number": n}, threads=16)

        killed = [0]

        def kill_all() -> None:
            killed[0] += rig.redis.command("CLIENT", "KILL", "SKIPME", "yes")

        began_s = time.monotonic()
        with repeating(KILLED_EVERY_S, kill_all):
            reported = callers.make(CALLS)
            took_s = time.monotonic() - began_s
        verdict = decide(rig, reported, within_s=60)

        refused = len(refusals_of(reported))
        row.report(f"{killed[0]:,} connections killed, {refused} requests repeated, {took_s:.0f} s")
        row.judged(verdict)


def health(rig: Rig) -> tuple[int, int]:
    """Return what /livez and /readyz answer."""
    paths = ("/livez", "/readyz")
    alive, ready = (httpx.get(rig.system.base_url + p, trust_env=False) for p in paths)
    return alive.status_code, ready.status_code


@pytest.mark.faults
@pytest.mark.timeout(150)
def test_a_redis_that_hangs_for_30_s_is_told_and_all_recovers_within_10_s(
    tmp_path: Path, row: Row
) -> None:
    row.begin(
        "Redis stopped (SIGSTOP) for 30 s under 50 requests/s",
        goal="`/livez` 200, `/readyz` 503; 503 p99 ≤ 1.5 s; recovered ≤ 10 s",
    )
    with rigged(tmp_path, "--workers", "2") as rig:
        callers = rig.callers("work", lambda n: {"number": n, "pause_s": 0.2}, threads=16)

        with callers.calling(50) as reported:
            threading.Event().wait(3)
            rig.redis.suspend()
            threading.Event().wait(2)
            seen = set()
            ends_at_s = time.monotonic() + 28
            while time.monotonic() < ends_at_s:
                seen.add(health(rig))
            rig.redis.resume()
            back_at_s = time.monotonic()
            threading.Event().wait(RECOVERED_WITHIN_S)
        finished_s = resumed_after_s(reported, back_at_s)
        verdict = decide(rig, reported)

        first_runs_s = [r.began_s for runs in verdict.runs.values() for r in runs]
        ran_s = min(s for s in first_runs_s if s > back_at_s) - back_at_s
        row.report(require_truthful(refusals_of(reported)))
        row.report(f"accepting after {finished_s:.2f} s, running after {ran_s:.2f} s")
        row.judged(verdict)
        assert seen == {(200, 503)}
        assert finished_s <= RECOVERED_WITHIN_S
        assert ran_s <= RECOVERED_WITHIN_S
