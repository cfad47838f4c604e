"""New versions come while calls run: what runs is not harmed, what is broken never serves."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.faults.oracle import decide
from tests.faults.reliability_table import Row
from tests.faults.rig import rigged
from tests.support.waiting import eventually

CALLS = 1_000
SOURCE = """
import time

from penstock import Context, function
from _witness import note

VERSION = {version}


@function
def release(number: int, *, ctx: Context) -> int:
    note("+", ctx)
    before = VERSION
    time.sleep(0.05)
    assert before == VERSION
    note("-", ctx)
    return VERSION
"""
BROKEN = "import nothing_of_this_name\n"


@pytest.mark.faults
@pytest.mark.timeout(120)
def test_a_new_and_a_broken_version_harm_no_call(tmp_path: Path, row: Row) -> None:
    row.begin(
        f"a new and then a broken version deployed while {CALLS:,} calls run",
        goal="each call runs once, on one whole version; the broken one never serves",
    )
    with rigged(
        tmp_path,
        "--workers",
        "2",
        "--runners",
        "4",
        functions={"release": SOURCE.format(version=1)},
    ) as rig:
        functions = rig.system.http
        reported = rig.callers("release", lambda n: {"number": n}).make(CALLS)

        def error() -> object:
            return functions.get("/functions/release").json()["error"]

        def version() -> object:
            return functions.get("/functions/release").json()["version"]

        first = version()
        eventually(lambda: len(rig.witness.runs()) > CALLS // 10, within_s=20)
        rig.system.write("release", SOURCE.format(version=2))
        eventually(lambda: version() != first, within_s=10)
        second = version()
        eventually(lambda: len(rig.witness.runs()) > CALLS // 2, within_s=20)
        rig.system.write("release", BROKEN)
        eventually(error, within_s=10)
        ran_before = len(rig.witness.runs())
        more = rig.callers("release", lambda n: {"number": n}, name="later").make(100)
        verdict = row.judged(decide(rig, [*reported, *more]))

        pairs = Counter((r["version"], r["result"]) for r in verdict.records.values())
        row.report(f"{pairs[first, 1]} on the old version, {pairs[second, 2]} on the new")
        assert set(pairs) == {(first, 1), (second, 2)}
        assert ran_before < CALLS
        assert {verdict.records[answer.id]["result"] for answer in more} == {2}
        assert verdict.run_again == 0
