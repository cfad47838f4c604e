"""The memory of a worker is that of all it has started."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import psutil

from runtime.worker.memory_usage import resident_bytes

HUNGRY = "import sys; held = b'x' * 50_000_000; print('ready', flush=True); sys.stdin.read()"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HUNGRY!r}])"


def test_a_child_counts():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"

        whole, own = resident_bytes(parent.pid), psutil.Process(parent.pid).memory_info().rss

    assert whole > own + 50_000_000


def test_where_processes_are_not_told_of_it_is_the_peak(tmp_path):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert resident_bytes(os.getpid(), proc=tmp_path) >= peak


def test_a_process_that_has_ended_holds_nothing(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "statm").write_text("10 2 1\n")
    task = tmp_path / "1" / "task" / "1"
    task.mkdir(parents=True)
    (task / "children").write_text("2 3 ")

    assert resident_bytes(1, proc=tmp_path) == 2 * resource.getpagesize()
