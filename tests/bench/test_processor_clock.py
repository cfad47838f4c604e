"""Whose processor time it was."""

from __future__ import annotations

import subprocess
import sys

import psutil

from tests.bench.processes import cpu_s, cpu_s_each
from tests.bench.processor_clock import Moment, used_between
from tests.support.waiting import eventually


def make_moment(by_process: dict[int, float], *, busy_s: float, own_s: float, at: float) -> Moment:
    return Moment(by_process=by_process, busy_s=busy_s, own_s=own_s, at=at)


def test_what_neither_the_system_nor_its_client_used_belongs_to_others():
    cores = psutil.cpu_count() or 1
    before = make_moment({1: 5.0}, busy_s=100.0, own_s=1.0, at=0.0)
    after = make_moment({1: 6.0, 2: 0.5}, busy_s=104.0, own_s=1.25, at=10.0)  # 2 was born meanwhile

    used = used_between(before, after, client_s=0.25)

    assert used.system_s == 1.5
    assert used.others_share == 2.0 / (10.0 * cores)


def test_the_processor_time_of_a_process_is_exact_and_one_that_has_gone_is_left_out():
    child = subprocess.Popen(
        [sys.executable, "-c", "import time\nwhile time.process_time() < 0.2: pass\ninput()"],
        stdin=subprocess.PIPE,
    )
    try:
        eventually(lambda: cpu_s(child.pid) >= 0.2)
        used = cpu_s_each([child.pid])
    finally:
        child.communicate(b"\n", timeout=10)

    assert 0.2 <= used[child.pid] < 5
    assert cpu_s_each([child.pid]) == {}
