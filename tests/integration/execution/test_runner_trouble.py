"""Runners that cannot be made, do not load in time, or are gone before they are sent anything."""

from __future__ import annotations

import errno
import json
import os
import signal
import threading

import pytest

from runtime.execution.runner import Runner
from runtime.execution.runners import Runners
from runtime.execution.sequential_runner import serials
from runtime.telemetry.background import CRASHES
from tests.integration.execution.at_once import wait
from tests.integration.execution.bench import kinds
from tests.integration.execution.crew import COUNT, begun, calls, once_each, quick_crew
from tests.integration.execution.written import write
from tests.support.process_ends import is_gone
from tests.support.waiting import eventually

SHUT = """
import gc
[ways] = [one for one in gc.get_objects() if type(one).__name__ == "ChildSideChannel"]
ways._tickets.shutdown(2)
"""
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
    eventually(lambda: all(one.process.is_killed for one in bench.runners()))

    gate.touch()

    attempt.wait()
    os.kill(server.pid, signal.SIGCONT)
    assert attempt.kind == "timeout"
    assert b"was not loaded within 0.5 s" in attempt.outcome.error
    assert not begun.exists()


@pytest.fixture
def no_threads(monkeypatch):
    """Return a function after which no thread of this name can be started."""
    start = threading.Thread.start

    def refuse(name):
        def refusing(thread):
            if thread.name == name:
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", refusing)

    return refuse


@pytest.mark.parametrize(
    "error", [OSError(errno.EMFILE, "no descriptors"), RuntimeError("no threads")]
)
@pytest.mark.parametrize("per_process", [1, 100])
def test_where_the_system_is_at_its_limits_one_ends_and_the_others_run_later(
    make_bench, make_server, monkeypatch, error, per_process
):
    server = make_server()
    bench = make_bench(size=1, server=server)
    spawn, failures = server.spawn, [error]

    def fail_once(*args, **options):
        if failures:
            raise failures.pop()
        return spawn(*args, **options)

    monkeypatch.setattr(server, "spawn", fail_once)

    written = write("async def f(): return 1", per_process=per_process)
    attempts = wait(bench.submit_all(written, [b"{}"] * 20))

    assert kinds(attempts) == ["lost", *["succeeded"] * 19]
    assert b"no runner" in attempts[0].outcome.error


def test_where_no_thread_can_be_started_for_a_spawn_one_ends_and_says_so(bench, no_threads):
    no_threads("spawn")

    outcome = bench.run(write("def f(): return 1"))

    assert outcome.status == "lost"
    assert b"no runner" in outcome.error
    assert eventually(lambda: not bench.runners())


def test_where_no_thread_can_be_started_dead_runners_are_cleared_away_all_the_same(
    make_bench, no_threads
):
    bench = make_bench(size=1)
    bench.run(write("def f(): pass"))
    [pid] = bench.pids()
    no_threads("reap")

    outcome = bench.run(write("import os\ndef f(): os._exit(3)"))
    other = bench.run(write("def f(): return 1"))

    assert (outcome.status, other.result) == ("failed", b"1")
    assert pid not in bench.pids()


def test_an_ending_counts_where_its_runner_s_successor_cannot_be_made(bench, monkeypatch):
    def fail(*args, **options):
        raise MemoryError

    monkeypatch.setattr(bench.pool.times, "note", fail)

    assert bench.run(write("def f(): return 1")).result == b"1"
    assert eventually(lambda: not bench.pids())
    assert CRASHES.take() >= 1  # others may have left some


@pytest.mark.parametrize("number", [b"x", b"9" * 400])
def test_a_garbled_run_time_strands_nobody(bench, number):
    harm = f"""
    import os, time
    from runtime.processes.frames import pack
    def f(serial: int):
        said = pack(b"done", b"%d" % serial, b'["succeeded"]', b"1", {number!r})
        for n in range(400, 600):
            try: os.write(n, said)
            except OSError: pass
        time.sleep(60)
    """
    bench.run(write("def f(): pass"))
    serial = next(serials) + 1

    outcome = bench.run(write(harm), b'{"serial": %d}' % serial)

    assert outcome.status == "lost"


def test_what_waits_is_given_back_where_placing_fails(bench, monkeypatch):
    def fail(*args, **options):
        raise MemoryError

    monkeypatch.setattr(Runners, "make", fail)
    bench.gives_again = False

    attempt = bench.submit(write("def f(): pass"))

    assert attempt.is_over.wait()
    assert attempt.returned == 1
    assert bench.do(CRASHES.take) > 0


def test_one_sent_to_a_runner_that_has_just_died_runs_elsewhere(make_bench, monkeypatch):
    """It goes in the turn in which the death lies unread: the socket refuses it."""
    bench = make_bench(size=1)
    written = write("def f(): return 1")
    bench.run(written)
    [pid] = bench.pids()
    sent_to = []
    take = Runner.take

    def noted(runner, *runs, **options):
        sent_to.append(runner.process.pid)
        take(runner, *runs, **options)

    def kill():
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: is_gone(pid))

    monkeypatch.setattr(Runner, "take", noted)
    [attempt] = bench.submit_all(written, [b"{}"], first=kill)

    assert attempt.wait(5).status == "succeeded"
    assert attempt.returned == 0
    assert sent_to[0] == pid


def test_those_of_a_burst_that_gets_no_tickets_run_elsewhere(make_bench, path):
    """Who is sent to a runner of which the way of tickets is shut has not begun."""
    bench = make_bench(size=1)
    crew = quick_crew(bench)
    crew.run([json.dumps({"n": 0, "harm": SHUT}).encode()])

    attempts = crew.run(calls(path))

    assert kinds(attempts) == ["succeeded"] * COUNT
    assert begun(path) == once_each()
