"""Runners: reused while good, replaced when not, never more than allowed, killed on cancel."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from runtime.execution import runners
from tests.integration.execution.written import write
from tests.support.process_ends import is_gone
from tests.support.waiting import eventually

PID = "import os\ndef f(): return os.getpid()"


def test_runner_is_reused_for_the_same_version(bench):
    first, second = bench.run(write(PID)), bench.run(write(PID))

    assert first.result == second.result
    assert bench.pids() == [int(first.result)]


def test_new_version_gets_a_fresh_runner_and_the_old_one_still_runs(bench):
    old, new = write(PID), write(PID + "  # changed")

    pids = [bench.run(written).result for written in (old, new, old, new)]

    assert pids[0] == pids[2] != pids[1] == pids[3]


def test_stale_version_is_ended_once_it_was_idle_for_a_while(make_bench, monkeypatch):
    monkeypatch.setattr(runners, "_STALE_AFTER_S", 0.5)
    bench = make_bench(size=4)
    old, new = write(PID), write(PID + "  # changed")
    old_pid = int(bench.run(old).result)
    new_pid = int(bench.run(new).result)
    began_at = time.monotonic()

    assert bench.pids() == sorted([old_pid, new_pid])
    assert eventually(lambda: bench.pids() == [new_pid])

    assert time.monotonic() - began_at > 0.3
    assert is_gone(old_pid)


def test_state_left_by_an_attempt_is_there_for_the_next_but_not_after_a_timeout(bench):
    written = write(
        """
        import time
        count = 0
        def f(wait: bool = False):
            global count
            count += 1
            if wait: time.sleep(60)
            return count
        """,
        timeout_s=0.5,
    )

    counts = [bench.run(written).result for _ in range(2)]
    timed_out = bench.run(written, b'{"wait": true}')

    assert counts == [b"1", b"2"]
    assert timed_out.status == "failed"
    assert bench.run(written).result == b"1"


def test_no_more_runners_than_allowed_and_the_longest_unused_makes_way(make_bench):
    bench = make_bench(size=2)
    first, second, third = (write(PID + f"  # {n}") for n in range(3))
    pids = [int(bench.run(written).result) for written in (first, second)]
    bench.run(first)

    pids.append(int(bench.run(third).result))

    assert bench.pids() == sorted([pids[0], pids[2]])
    assert is_gone(pids[1])


def test_memory_limit_is_part_of_what_a_runner_is_for(bench):
    small, large = write(PID, memory_bytes=300 << 20), write(PID, memory_bytes=400 << 20)

    assert bench.run(small).result != bench.run(large).result


def test_runner_is_replaced_after_its_number_of_attempts(make_bench):
    bench = make_bench(size=1, most_attempts=2)

    pids = [bench.run(write(PID)).result for _ in range(4)]

    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_attempts_at_once_run_in_runners_of_their_own_up_to_the_limit(make_bench):
    bench = make_bench(size=3)
    written = write("import os, time\ndef f(): time.sleep(0.05); return os.getpid()")

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda n: bench.run(written, id=str(n)), range(24)))

    assert {o.status for o in outcomes} == {"succeeded"}
    assert len({o.result for o in outcomes}) <= 3
    assert len(bench.pids()) <= 3


def test_runner_killed_while_idle_costs_nothing(bench):
    for _ in range(20):
        pid = int(bench.run(write(PID)).result)
        os.kill(pid, signal.SIGKILL)

        outcome = bench.run(write(PID))

        assert outcome.status == "succeeded"
        assert int(outcome.result) != pid


def test_fork_server_killed_while_all_are_idle_costs_nothing(make_bench, make_server):
    server = make_server()
    bench = make_bench(4, server)
    written = write("import time\ndef f(): time.sleep(0.2)")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: bench.run(written, id=str(n)), range(4)))
    pids = bench.pids()
    assert len(pids) == 4

    os.kill(server.pid, signal.SIGKILL)
    assert eventually(lambda: all(map(is_gone, pids)))  # till then one may begin, and be lost
    outcome = bench.run(written)

    assert outcome.status == "succeeded"


def test_cancel_kills_the_runner_and_its_processes(bench):
    written = write(
        """
        import os, subprocess
        from penstock import Context
        def f(*, ctx: Context):
            child = subprocess.Popen(["sleep", "60"])
            ctx.emit([os.getpid(), child.pid])
            child.wait()
        """
    )
    with ThreadPoolExecutor(1) as threads:
        outcome = threads.submit(bench.run, written)
        [(_, _, reported)] = eventually(lambda: bench.frames)

        assert bench.cancel("i1")

        assert outcome.result(10).status == "cancelled"
    assert eventually(lambda: all(map(is_gone, json.loads(reported))))
    assert not bench.cancel("i1")


def test_cancel_while_the_file_loads_ends_the_attempt(bench):
    with ThreadPoolExecutor(1) as threads:
        outcome = threads.submit(bench.run, write("import time; time.sleep(60)\ndef f(): pass"))
        eventually(bench.pids)

        assert eventually(lambda: bench.cancel("i1"))

        assert outcome.result(10).status == "cancelled"


def test_cancel_of_one_that_waits_for_a_runner_never_runs_it(make_bench):
    bench = make_bench(size=1)
    held = bench.submit(write("import time\ndef f(): time.sleep(60)"), id="held")
    waiting = bench.submit(write(PID))

    assert bench.cancel(waiting)

    assert waiting.wait(0.5).status == "cancelled"
    assert not held.is_over.is_set()
    assert waiting.run.serial == 0


def test_background_processes_and_threads_go_with_their_attempt(bench):
    written = write(
        """
        import os, subprocess, threading, time
        def f():
            threading.Thread(target=time.sleep, args=(600,)).start()
            return [os.getpid(), subprocess.Popen(["sleep", "600"]).pid,
                    subprocess.Popen(["sleep", "600"], start_new_session=True).pid]
        """
    )

    pids = json.loads(bench.run(written).result)

    assert eventually(lambda: all(map(is_gone, pids)))


def test_fork_in_user_code_does_not_speak_for_the_runner(bench):
    written = write(
        """
        import os
        def f(wait: bool = True):
            pid = os.fork()
            if pid and wait:
                os.waitpid(pid, 0)
            return "parent" if pid else "child"
        """
    )

    results = [bench.run(written).result for _ in range(3)]

    assert results == [b'"parent"'] * 3


def test_stopped_executor_begins_nothing_more(bench):
    bench.run(write(PID))
    running = bench.submit(write("import time\ndef f(): print('on'); time.sleep(60)"))
    eventually(lambda: running.reported)  # it has begun: what has not is given back
    bench.gives_again = False

    bench.do(bench.executor.stop)
    bench.do(bench.executor.stop)
    late = bench.submit(write(PID))

    assert running.wait(5).status == "lost"
    assert eventually(lambda: bench.pids() == [])
    assert late.is_over.wait(5)
    assert (late.returned, late.outcome) == (1, None)
    assert bench.pids() == []
