"""One supervised process: why it ended, when it is due again, what it leaves behind."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator

import psutil
import pytest

from gateway.cli.up.managed_process import ManagedProcess, ProcessSpec
from tests.support.waiting import eventually


@contextlib.contextmanager
def started(code: str, now: float = 0.0) -> Iterator[tuple[ManagedProcess, bytes]]:
    plan = ProcessSpec(
        name="x",
        command=(sys.executable, "-c", code),
        death_signal=signal.SIGKILL,
        stop_limit_s=1.0,
    )
    part = ManagedProcess(plan)
    with part.start(now) as output:
        os.set_blocking(output.fileno(), True)
        yield part, output.readline()
        part.kill()
        if part.pid:
            eventually(lambda: part.reap(now))


def test_the_reason_of_an_end_is_told():
    with started("import sys; sys.exit(3)") as (part, _):
        assert eventually(lambda: part.reap(1.0)) == "exit code 3"
    with started("print(flush=True); import time; time.sleep(60)") as (part, _):
        part.terminate()
        assert eventually(lambda: part.reap(1.0)) == "killed by SIGTERM"


def test_while_it_runs_there_is_no_reason():
    with started("print(flush=True); import time; time.sleep(60)") as (part, _):
        assert part.reap(1.0) is None
        assert part.due_at is None


@pytest.mark.parametrize(("lived_s", "expected_s"), [(1.0, [0.1, 0.2, 0.4]), (11.0, [0.0] * 3)])
def test_only_quick_deaths_are_answered_with_longer_and_longer_waits(lived_s, expected_s):
    part = ManagedProcess(
        ProcessSpec(name="x", command=("false",), death_signal=signal.SIGKILL, stop_limit_s=1.0)
    )
    now, delays = 100.0, []
    for _ in expected_s:
        part.start(now).close()
        now += lived_s
        eventually(lambda: part.reap(now))  # noqa: B023 - called at once
        delays.append(round(part.due_at - now, 3))

    assert delays == expected_s


def test_what_it_started_is_killed_with_it():
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)"
    )
    with started(code) as (part, said):
        child = int(said)

        os.kill(part.pid, signal.SIGKILL)
        eventually(lambda: part.reap(1.0))

        eventually(lambda: not is_running(child))


def is_running(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
