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
CALLS_FOR_A_PERCENTILE = 400


def test_each_leaves_the_runners_whole_and_neighbours_p99_within_twice(
    beset: System, tell: Callable[[str], None]
):
    neighbour = Neighbour(beset)
    neighbour.start()
    began_at = time.monotonic()
    eventually(lambda: len(neighbour.calls) >= CALLS_FOR_A_PERCENTILE, within_s=60)
    before_s = neighbour.p99_s(began_at)
    slowest_s = 0.0
    called_at = time.monotonic()
    while len(neighbour.calls) < 2 * CALLS_FOR_A_PERCENTILE:  # whole rounds, enough to judge by
        for name, documented in CALLED.items():
            assert ending_of(beset, name) == documented, name
            ended_at = time.monotonic()
            assert set(call_runners_at_once(beset)) == {("succeeded", 1)}, name
            slowest_s = max(slowest_s, time.monotonic() - ended_at)
    loaded_at = time.monotonic()
    add_hostile_files(beset)
    names = {f"at_import.{name}" for name in LOADED}
    eventually(lambda: judged_files(beset, names), within_s=60, every_s=0.1)
    until = time.monotonic()
    neighbour.stop()
    called_s = neighbour.p99_s(called_at, loaded_at)
    loaded_s = neighbour.p99_s(loaded_at, until)

    tell(
        f"{len(CALLED)} hostile functions, {len(LOADED)} hostile files: all runners whole after "
        f"{slowest_s:.2f} s at most; neighbours' p99 {before_s * 1000:.1f} ms before, "
        f"{called_s * 1000:.1f} ms beside calls, {loaded_s * 1000:.1f} ms beside loading"
    )
    assert neighbour.statuses == {200}
    assert slowest_s < WHOLE_WITHIN_S
    assert called_s < LONGEST_RATIO * before_s
    assert loaded_s < LONGEST_RATIO * before_s
