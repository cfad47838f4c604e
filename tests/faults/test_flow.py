"""Turns, concurrency and rate on a real system, counted by an outside witness."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.faults.deaths import repeating
from tests.faults.reliability_table import Row
from tests.support.system import System, running_system
from tests.support.waiting import eventually

SOURCE = """
import os, time
from penstock import Context, function

def note(file, word):
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, f"{word} {time.time()}\\n".encode())
    os.close(descriptor)

@function(concurrency=3, timeout="20s")
def narrow(file: str, *, ctx: Context) -> None:
    note(file, f"+ {ctx.id}.{ctx.attempt} {os.getpid()}")
    time.sleep(0.05)
    note(file, f"- {ctx.id}.{ctx.attempt} {os.getpid()}")

@function(rate="50/s")
def paced(file: str) -> None:
    note(file, ".")

@function
def busy() -> None:
    time.sleep(0.01)

@function
def rare() -> int:
    return 1
"""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    functions = tmp_path / "functions"
    functions.mkdir()
    (functions / "flows.py").write_text(SOURCE)
    with running_system(tmp_path, "--workers", "4", functions=functions) as running:
        yield running


def submit_many(system: System, function: str, count: int, **arguments: str) -> None:
    for start in range(0, count, 10_000):
        rows = [arguments] * min(10_000, count - start)
        answer = system.http.post(f"/functions/{function}/batch", json=rows)
        assert answer.status_code == 202, answer.text


@pytest.mark.faults
@pytest.mark.timeout(200)
def test_a_full_lane_delays_no_other_function_by_more_than_a_running_call(
    system: System, row: Row
) -> None:
    row.begin("one function's call beside 100,000 waiting calls of another", goal="p50 ≤ 150 ms")
    system.call("rare", wait_s=5)
    submit_many(system, "busy", 100_000)

    took_ms = []
    for _ in range(40):
        began = time.monotonic()
        assert system.call("rare", wait_s=10).json()["result"] == 1
        took_ms.append((time.monotonic() - began) * 1000)
    waiting = [q for q in system.http.get("/queues").json()["items"] if q["name"] == "default"]

    took_ms.sort()
    row.report(
        f"beside {waiting[0]['depth']} waiting: p50 {took_ms[20]:.0f} ms, max {took_ms[-1]:.0f} ms"
    )
    assert waiting[0]["depth"] > 50_000
    assert took_ms[20] < 150


@pytest.mark.faults
@pytest.mark.timeout(200)
def test_concurrency_is_never_exceeded_while_workers_die(
    system: System, tmp_path: Path, row: Row
) -> None:
    row.begin("400 calls with `concurrency=3`; a worker killed every 2 s", goal="never more than 3")
    file = tmp_path / "witness"
    chance = random.Random(4)
    kills = []

    def kill_a_worker() -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            chance.choice(system.parts("worker")).kill()
            kills.append(1)

    submit_many(system, "narrow", 400, file=str(file))

    with repeating(2, kill_a_worker):
        eventually(lambda: count_succeeded(system) >= 400, within_s=120, every_s=0.5)

    most = 0
    open_runs: set[str] = set()
    for line in sorted(file.read_text().splitlines(), key=lambda row: float(row.split()[-1])):
        sign, run, *_ = line.split()
        if sign == "+":
            open_runs.add(run)
        else:
            open_runs.discard(run)
        alive = [run for run in open_runs if not was_killed(run, file)]
        most = max(most, len(alive))
    row.report(f"at most {most} of 3 at once, {len(kills)} kills")
    assert most <= 3


def count_succeeded(system: System) -> int:
    """Return how many calls have; 0 when nobody answers."""
    with contextlib.suppress(httpx.TransportError):
        return system.http.get("/functions/narrow").json()["stats"].get("succeeded", 0)
    return 0


def was_killed(run: str, file: Path) -> bool:
    """Whether a run never ended: its process was killed, and holds no place any more."""
    return f"- {run} " not in file.read_text()


@pytest.mark.faults
@pytest.mark.timeout(60)
def test_a_rate_admits_what_it_says(system: System, tmp_path: Path, row: Row) -> None:
    row.begin('900 calls with `rate="50/s"`', goal="475 to 525 starts in 10 s")
    file = tmp_path / "witness"
    submit_many(system, "paced", 900, file=str(file))

    eventually(file.exists)
    threading.Event().wait(11)

    starts = sorted(float(line.split()[1]) for line in file.read_text().splitlines())
    within = [s for s in starts if s < starts[0] + 10]
    row.report(f"{len(within)} starts in 10 s at 50/s")
    assert 475 <= len(within) <= 525
