"""Runners that cannot be made, do not load in time, or are gone before they are sent anything."""

from __future__ import annotations

import os
import signal

from tests.integration.execution.written import write
from tests.support.waiting import eventually

GATED = """
import os, time
while not os.path.exists({gate!r}): time.sleep(0.005)
def f(): open({begun!r}, "w").close(); time.sleep(60)
"""


def test_a_file_that_is_loaded_after_its_time_was_up_runs_nothing(
    make_bench, make_server, tmp_path
):
    """It says so when it is to be killed, and the fork server has not killed it yet."""
    gate, begun = tmp_path / "gate", tmp_path / "begun"
    server = make_server()
    bench = make_bench(size=1, server=server, load_timeout_s=0.5)
    bench.run(write("def f(): pass"))
    attempt = bench.submit(write(GATED.format(gate=str(gate), begun=str(begun))))
    eventually(lambda: [one.state for one in bench.runners()] == ["starting"] and bench.pids())
    os.kill(server.pid, signal.SIGSTOP)
    eventually(lambda: all(one.process._is_killed for one in bench.runners()))

    gate.touch()

    attempt.wait(5)
    os.kill(server.pid, signal.SIGCONT)
    assert attempt.kind == "timeout"
    assert b"was not loaded within 0.5 s" in attempt.outcome.error
    assert not begun.exists()
