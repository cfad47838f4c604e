"""A function's own schedule in a whole system: it comes with the file, and outlives workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.system import System, running_system
from tests.support.waiting import eventually

BEAT = """
from penstock import function

@function(schedule="* * * * * *")
def beat(times: int = 1):
    return times
"""


@pytest.fixture(scope="module")
def ticking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("ticking")
    functions = folder / "functions"
    functions.mkdir()
    (functions / "beat.py").write_text(BEAT)
    with running_system(folder, "--workers", "2", "--runners", "2", functions=functions) as system:
        yield system


def schedule(system: System) -> dict[str, Any]:
    found: dict[str, Any] = system.http.get("/schedules/beat").json()
    return found


def fired(system: System) -> list[str]:
    """The moments of all invocations, oldest first."""
    moments: list[str] = []
    path = "/invocations?function=beat&limit=100"
    while path:
        page = system.http.get(path)
        moments += [item["scheduled_for"] for item in page.json()["items"]]
        path = page.links["next"]["url"] if "next" in page.links else ""
    return sorted(moments)


def seconds(moment: str) -> int:
    assert moment.endswith(".000Z")
    hours, minutes, rest = moment[11:23].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest[:2])


@pytest.mark.parametrize("kills", [1, pytest.param(4, marks=pytest.mark.faults)])
def test_every_second_fires_once_while_workers_are_killed(ticking: System, kills: int):
    eventually(lambda: schedule(ticking)["fired"] >= 2, within_s=15)

    for number in range(kills):
        seen = schedule(ticking)["fired"]
        victims = ticking.parts("worker")
        victims[number % len(victims)].kill()
        eventually(lambda seen=seen: schedule(ticking)["fired"] >= seen + 2, within_s=15)

    ticking.http.patch("/schedules/beat", json={"paused": True})
    state, moments = schedule(ticking), fired(ticking)
    skipped = [skip["at"] for skip in state["skips"]]
    assert len(moments) == state["fired"]
    whole = sorted(seconds(moment) for moment in [*moments, *skipped])
    day_s = 86_400
    assert [(at - whole[0]) % day_s for at in whole] == list(range(len(whole))), json.dumps(moments)
    last = ticking.finished(state["last_invocation"])
    assert last["result"] == 1


def test_a_wrong_schedule_is_shown_and_the_one_before_goes_on(ticking: System):
    before = schedule(ticking)["cron"]

    ticking.write("beat", BEAT.replace("times: int = 1", "times: int"))

    # Another worker looks at the files once the lease of the one that was killed is over.
    error = eventually(lambda: ticking.http.get("/functions/beat").json()["error"])
    assert (error["type"], error["file"]) == ("OptionError", "beat.py")
    assert "these parameters need a default: times" in error["message"]
    assert schedule(ticking)["cron"] == before


def test_without_the_option_the_schedule_goes(ticking: System):
    ticking.write("beat", BEAT.replace('schedule="* * * * * *"', ""))

    eventually(lambda: ticking.http.get("/schedules/beat").status_code == 404)
    assert ticking.http.get("/schedules").json()["items"] == []
