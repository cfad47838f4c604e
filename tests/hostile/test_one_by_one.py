"""One hostile function after the other: how soon runners are whole, what neighbours feel."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.hostile.conftest import (
    Neighbour,
    add_hostile_files,
    call_runners_at_once,
    ending_of,
    judged_files,
)
from tests.hostile.table import CALLED, LOADED
from tests.support.system import System
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
WHOLE_WITHIN_S = 5.0
LONGEST_RATIO = 2.0
UNNOTICED_S = 0.015  # so much beside loading is no harm, however quick calls are without
CALLS_FOR_A_PERCENTILE = 400
QUIET_CALLS = 25


def test_each_leaves_the_runners_whole_and_neighbours_p99_within_twice(
    beset: System, report: Callable[[str], None]
):
    neighbour = Neighbour(beset)
    neighbour.start()
    slowest_s = 0.0
    quiet: list[tuple[float, float]] = []  # between them, as a machine's own noise comes and goes
    beside: list[tuple[float, float]] = []  # not while all runners are asked for at once
    while neighbour.count(*beside) < CALLS_FOR_A_PERCENTILE:
        for name, documented in CALLED.items():
            quiet.append(neighbour.watch(QUIET_CALLS))
            called_at = time.monotonic()
            assert ending_of(beset, name) == documented, name
            ended_at = time.monotonic()
            beside.append((called_at, ended_at))
            assert set(call_runners_at_once(beset)) == {("succeeded", 1)}, name
            slowest_s = max(slowest_s, time.monotonic() - ended_at)
    loaded_at = time.monotonic()
    add_hostile_files(beset)
    names = {f"at_import.{name}" for name in LOADED}
    eventually(lambda: judged_files(beset, names), within_s=60, every_s=0.1)
    loading = (loaded_at, time.monotonic())
    neighbour.stop()
    before_s, called_s = neighbour.p99_s(*quiet), neighbour.p99_s(*beside)
    loaded_s = neighbour.p99_s(loading)

    report(
        f"{len(CALLED)} hostile functions, {len(LOADED)} hostile files: all runners whole after "
        f"{slowest_s:.2f} s at most; neighbours' p99 {before_s * 1000:.1f} ms between, "
        f"{called_s * 1000:.1f} ms beside calls, {loaded_s * 1000:.1f} ms beside loading"
    )
    assert neighbour.statuses == {200}
    assert slowest_s < WHOLE_WITHIN_S
    assert called_s < LONGEST_RATIO * before_s
    assert loaded_s < max(LONGEST_RATIO * before_s, UNNOTICED_S)
