"""A minute of ticks while workers and gateways are killed again and again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.faults.reliability_table import Row
from tests.support.system import System, running_system
from tests.support.waiting import eventually

MINUTE = 60
BEAT = """
from penstock import function

@function(isolation="thread")
def beat(n: int) -> int:
    return n
"""


@pytest.mark.faults
@pytest.mark.timeout(240)
def test_every_second_of_a_minute_fires_once_or_is_named(tmp_path: Path, row: Row) -> None:
    row.begin(
        f"a schedule of every second for {MINUTE} s; workers and gateways killed throughout",
        goal="each moment fires once or is named",
    )
    functions = tmp_path / "functions"
    functions.mkdir()
    (functions / "beat.py").write_text(BEAT)
    flags = ("--workers", "4", "--gateways", "2", "--runners", "2")
    with running_system(tmp_path, *flags, functions=functions) as system:
        wanted = {"function": "beat", "cron": "* * * * * *", "arguments": {"n": 1}}
        here = system.http.post("/schedules", json=wanted).json()["links"]["self"]

        kills = 0
        while (seen := moments(system, here))["fired"] + seen["skipped"] < MINUTE:
            kills += kill_one(system, kills)
            count = seen["fired"]
            eventually(
                lambda count=count: moments(system, here)["fired"] > count,
                within_s=15,
                every_s=0.2,
            )
        eventually(lambda: patch(system, here))

        state = moments(system, here)
        fired = [item["scheduled_for"] for item in invocations(system)]
        named = [skip["at"] for skip in state["skips"]]
        late = [item["queued_ms"] for item in invocations(system) if item["queued_ms"] is not None]
        row.report(
            f"{kills} kills; {len(fired)} fired, {state['skipped']} skipped; "
            f"begun late by at most {max(late)} ms"
        )
        assert len(fired) == len(set(fired)) == state["fired"]
        assert not set(fired) & set(named)
        assert len(named) == state["skipped"]
        assert state["fired"] + state["skipped"] == span(fired + named)


def moments(system: System, here: str) -> dict[str, Any]:
    """The schedule, asked until a gateway answers."""
    return eventually(lambda: request_or_none(system, "GET", here), within_s=15)


def patch(system: System, here: str) -> Any:
    return request_or_none(system, "PATCH", here, json={"paused": True})


def request_or_none(system: System, method: str, path: str, **more: Any) -> Any:
    try:
        answer = system.http.request(method, path, **more)
    except httpx.HTTPError:
        return None
    return answer.json() if answer.is_success else None


def invocations(system: System) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    path = "/invocations?function=beat&limit=50"
    while path:
        page = system.http.get(path)
        found += page.json()["items"]
        path = page.links["next"]["url"] if "next" in page.links else ""
    return found


def kill_one(system: System, turn: int) -> bool:
    """Kill a worker or a serving gateway process; False when it had just gone by itself."""
    try:
        gateways = [child for part in system.parts("gateway") for child in part.children()]
        victims = [*system.parts("worker"), *gateways]
        victims[turn * 3 % len(victims)].kill()
    except psutil.NoSuchProcess:
        return False
    return True


def span(at: list[str]) -> int:
    """How many seconds there are from the first moment to the last."""
    ordered = sorted(datetime.fromisoformat(moment) for moment in at)
    return int((ordered[-1] - ordered[0]).total_seconds()) + 1
