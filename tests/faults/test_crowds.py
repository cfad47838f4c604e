"""A hundred calls run at the same time in one process: what befalls one befalls no other."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.faults.crowd import ENDS, FUNCTIONS
from tests.faults.deaths import repeating
from tests.faults.oracle import decide
from tests.faults.reliability_table import Row
from tests.faults.rig import Rig, rigged
from tests.support.waiting import eventually

CROWD = 10
MANY = 20  # as often as its runner may die beside it, one may be run under one number


def crowded(rig: Rig) -> list[psutil.Process]:
    """Return the processes in which many run: who is alone counts as the cause of a death."""
    pids = Counter(run.pid for run in rig.witness.runs() if run.ended_s is None)
    return [
        psutil.Process(pid)
        for pid, count in pids.items()
        if count >= CROWD and psutil.pid_exists(pid)
    ]


@pytest.mark.faults
@pytest.mark.timeout(120)
def test_runners_killed_with_a_thousand_calls_lose_none(tmp_path: Path, row: Row) -> None:
    row.begin(
        "2,000 calls that sleep 1 s, up to 1,000 with the runners; one of these killed every 0.5 s",
        goal="all succeed, none is `worker_lost`, within 40 s",
    )
    chance = random.Random(4)

    def kill_one(rig: Rig) -> None:
        if victims := crowded(rig):
            rig.deaths.kill(chance.choice(victims))

    with rigged(tmp_path, "--workers", "2", "--runners", "6", functions=FUNCTIONS) as rig:
        callers = rig.callers("rest", lambda n: {"number": n, "pause_s": 1}, threads=16)
        began_s = time.monotonic()
        with repeating(0.5, lambda: kill_one(rig) if rig.deaths.kills < 12 else None):
            reported = callers.make(2_000)
            verdict = decide(rig, reported, within_s=40, runs_per_attempt=MANY)

        kills, counted = rig.deaths.kills, _counted_deaths(verdict.records)
        row.report(f"{kills} kills, {counted} attempts counted as lost")
        row.judged(verdict)
        assert kills >= 5
        assert counted <= kills
        assert time.monotonic() - began_s < 60


def _counted_deaths(records: dict[str, dict[str, object]]) -> int:
    return sum(int(str(record["attempt"])) - 1 for record in records.values())


@pytest.mark.faults
@pytest.mark.timeout(180)
def test_what_one_of_a_hundred_does_harms_no_other(tmp_path: Path, row: Row) -> None:
    row.begin(
        f"one of 100 calls in a process does harm: {', '.join(ENDS)}",
        goal="it ends as what it did; all others succeed",
    )
    with rigged(tmp_path, "--workers", "1", "--runners", "2", functions=FUNCTIONS) as rig:
        reported, ill = [], {}
        for harm in ENDS:
            callers = rig.callers(
                "crowd",
                lambda n, harm=harm: {"number": n, "harm": harm if n == 42 else ""},
                name=harm,
            )
            answers = callers.make(100)
            ill[harm] = next(answer.id for answer in answers if answer.key == f"{harm}-42")
            reported += answers
            eventually(
                lambda ids={answer.id for answer in answers}: _all_ended(rig, ids), within_s=30
            )
        endings = frozenset({"succeeded", "failed"})
        verdict = decide(rig, reported, endings=endings, runs_per_attempt=MANY)

        records = verdict.records
        ended = {harm: records[one] for harm, one in ill.items()}
        others = Counter(r["status"] for one, r in records.items() if one not in ill.values())
        row.report(f"{verdict.run_again} runs again")
        row.judged(verdict)
        assert {
            harm: (one["status"], one["error"] and one["error"]["type"])
            for harm, one in ended.items()
        } == ENDS
        assert others == {"succeeded": 99 * len(ENDS)}


def _all_ended(rig: Rig, ids: set[str]) -> bool:
    """Whether nothing of these is queued or running."""
    for status in ("queued", "running"):
        items = rig.system.http.get(f"/invocations?status={status}&limit=100").json()["items"]
        if any(item["id"] in ids for item in items):
            return False
    return True


@pytest.mark.faults
@pytest.mark.timeout(120)
def test_cancelling_one_of_a_hundred_disturbs_no_other(tmp_path: Path, row: Row) -> None:
    row.begin("one of 100 calls in a process is cancelled, ten times", goal="within 1 s, no other")
    with rigged(tmp_path, "--workers", "1", "--runners", "2", functions=FUNCTIONS) as rig:
        reported = rig.callers("rest", lambda n: {"number": n, "pause_s": 5}).make(100)
        eventually(lambda: len(rig.witness.runs()) == 100)
        chosen = [reported[n].id for n in range(5, 100, 10)]
        took_s = []

        for one in chosen:
            began_s = time.monotonic()
            assert rig.system.http.delete(f"/invocations/{one}").status_code == 202
            rig.system.finished(one, within_s=5)
            took_s.append(time.monotonic() - began_s)
        verdict = decide(rig, reported, endings=frozenset({"succeeded", "cancelled"}))

        row.report(f"cancelled within {max(took_s) * 1000:.0f} ms")
        row.judged(verdict)
        ended = {one: record["status"] for one, record in verdict.records.items()}
        assert {one for one, status in ended.items() if status == "cancelled"} == set(chosen)
        assert verdict.run_again == 0
        assert max(took_s) < 1


@pytest.mark.faults
@pytest.mark.timeout(120)
def test_a_thousand_time_limits_are_kept_in_one_second(tmp_path: Path, row: Row) -> None:
    row.begin(
        "1,000 calls with a time limit of 2 s that never end",
        goal="each ends as out of time once, within 1 s after its limit",
    )
    with rigged(tmp_path, "--workers", "2", "--runners", "4", functions=FUNCTIONS) as rig:
        reported = rig.callers("endless", lambda n: {"number": n}, threads=16).make(1_000)
        verdict = decide(rig, reported, endings=frozenset({"failed"}), within_s=30)

        records = list(verdict.records.values())
        late_ms = sorted(record["duration_ms"] - 2_000 for record in records)
        row.report(f"p50 {late_ms[500]} ms late, at most {late_ms[-1]} ms")
        row.judged(verdict)
        assert {record["error"]["type"] for record in records} == {"timeout"}
        assert {record["attempt"] for record in records} == {1}
        assert verdict.run_again == 0
        assert late_ms[-1] < 1_000


RELEASE = """
import asyncio

from penstock import Context, function
from _witness import note

VERSION = {version}


@function
async def release(number: int, *, ctx: Context) -> int:
    note("+", ctx)
    before = VERSION
    await asyncio.sleep(3)
    assert before == VERSION
    note("-", ctx)
    return VERSION
"""


@pytest.mark.faults
@pytest.mark.timeout(120)
def test_a_version_deployed_while_five_hundred_run_harms_none(tmp_path: Path, row: Row) -> None:
    row.begin(
        "a new version deployed while 500 calls of the old one are under way",
        goal="each call runs once, on one whole version; the new one serves at once",
    )
    functions = {"release": RELEASE.format(version=1)}
    with rigged(tmp_path, "--workers", "2", "--runners", "4", functions=functions) as rig:

        def version() -> object:
            return rig.system.http.get("/functions/release").json()["version"]

        first = version()
        reported = rig.callers("release", lambda n: {"number": n}, threads=16).make(500)
        eventually(lambda: len(rig.witness.runs()) == 500, within_s=10)
        in_flight = sum(run.ended_s is None for run in rig.witness.runs())
        rig.system.write("release", RELEASE.format(version=2))
        eventually(lambda: version() != first, within_s=10)
        second, began_s = version(), time.monotonic()
        more = rig.callers("release", lambda n: {"number": n}, name="later").make(100)
        eventually(lambda: len(rig.witness.runs()) == 600, within_s=10)
        served_s = time.monotonic() - began_s
        verdict = row.judged(decide(rig, [*reported, *more]))

        pairs = Counter((r["version"], r["result"]) for r in verdict.records.values())
        row.report(f"{in_flight} in flight, the new version ran {served_s:.1f} s later")
        assert pairs == {(first, 1): 500, (second, 2): 100}
        assert verdict.run_again == 0
        assert in_flight >= 400
