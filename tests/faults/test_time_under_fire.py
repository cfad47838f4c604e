"""Delays while workers and gateways are killed and restarted throughout."""

from __future__ import annotations

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.support.system import System, running_system
from tests.support.waiting import eventually

TICK = """
import os
from runtime import Context

def tick(file: str, *, ctx: Context) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, f"{ctx.id} {ctx.attempt}\\n".encode())
    os.close(descriptor)
"""
DELAYED = 1000


@contextmanager
def killing(system: System, *, every_s: float, seed: int) -> Iterator[list[str]]:
    """Kill a random worker or gateway again and again; yields the list of what was killed."""
    killed: list[str] = []
    chance = random.Random(seed)
    over = threading.Event()

    def kill_on() -> None:
        while not over.wait(every_s):
            kind = chance.choice(["worker", "worker", "worker", "gateway"])
            with contextlib.suppress(psutil.NoSuchProcess, IndexError):
                chance.choice(system.parts(kind)).kill()
                killed.append(kind)

    thread = threading.Thread(target=kill_on)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def ask(system: System, method: str, path: str, **more: Any) -> httpx.Response:
    """Ask until a gateway answers: they are killed too."""

    def answer() -> httpx.Response | None:
        with contextlib.suppress(httpx.TransportError):
            got = system.http.request(method, path, **more)
            return got if got.status_code < 500 else None
        return None

    return eventually(answer, within_s=20, every_s=0.05)


def listed(system: System, **query: str) -> list[dict[str, Any]]:
    """All pages of a listing."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    for _ in range(100):
        page = ask(system, "GET", "/invocations", params={**query, "limit": "100", **cursor}).json()
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}
    raise AssertionError("a listing without end")


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture
def battered(tmp_path: Path) -> Iterator[System]:
    functions = tmp_path / "functions"
    functions.mkdir()
    (functions / "tick.py").write_text(TICK)
    flags = ("--workers", "4", "--gateways", "2")
    with running_system(tmp_path, *flags, functions=functions) as system:
        yield system


@pytest.mark.faults
@pytest.mark.timeout(200)
def test_delayed_invocations_start_at_their_time_and_once(
    battered: System, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    file = tmp_path / "witness"
    chance = random.Random(2)
    ids = []
    for number in range(DELAYED):
        delay_s = chance.uniform(5, 35)
        answer = ask(
            battered,
            "POST",
            f"/functions/tick?delay={delay_s:.3f}",
            json={"file": str(file)},
            headers={"Idempotency-Key": f"d{number}"},
        )
        assert answer.status_code == 202, answer.text
        ids.append(answer.json()["id"])

    with killing(battered, every_s=5, seed=3) as killed:
        eventually(
            lambda: len(listed(battered, function="tick", status="succeeded")) == DELAYED,
            within_s=90,
            every_s=1,
        )

    records = listed(battered, function="tick")
    late_s = sorted(moment(r["started_at"]) - moment(r["scheduled_for"]) for r in records)
    runs = Counter(line.split()[0] for line in file.read_text().splitlines())
    attempts = Counter(tuple(line.split()) for line in file.read_text().splitlines())
    again = [i for i, n in runs.items() if n > 1]
    tell(
        f"late: p50 {late_s[DELAYED // 2] * 1000:.0f} ms, p99 {late_s[DELAYED * 99 // 100]:.3f} s, "
        f"max {late_s[-1]:.1f} s; {len(again)} run again after a kill, {len(killed)} kills"
    )
    assert {r["id"] for r in records} == set(ids)
    assert late_s[0] >= 0
    assert late_s[DELAYED * 99 // 100] <= 1
    assert max(attempts.values()) == 1
    assert all(r["attempt"] > 1 for r in records if r["id"] in again)
