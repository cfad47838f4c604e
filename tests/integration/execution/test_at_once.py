"""A runner's attempts at the same time: as many as may, each with its own end."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter

from runtime.execution import runner_pool
from runtime.execution.concurrent_runner import ConcurrentRunner
from tests.integration.execution.at_once import COUNT, ILL, driven, only_ill, run, wait
from tests.integration.execution.bench import kinds
from tests.integration.execution.written import write
from tests.support.waiting import allowed, eventually

OTHER = write("import os\ndef g(): return os.getpid()", name="g", file="g.py")
SLEEP = b'{"s": 60}'


def runs(bench, *counts):
    """Wait until so many run in each runner."""

    def seen():
        return tuple(runner.held for runner in bench.runners() if runner.state == "running")

    assert eventually(lambda: seen() == counts)


def test_a_hundred_run_at_the_same_time_in_one_runner(bench):
    attempts = bench.submit_all(driven("sleep"), [b'{"s": 0.5}'] * COUNT)
    runs(bench, COUNT)

    wait(attempts)

    assert kinds(attempts) == ["succeeded"] * COUNT
    ran_s = [attempt.run.ran_s for attempt in attempts]
    assert 0.5 <= min(ran_s) <= max(ran_s) < allowed(2)
    assert [(runner.state, runner.function) for runner in bench.runners()] == [("idle", "")]


def test_defs_run_at_the_same_time_in_threads_of_one_runner(bench):
    written = write("import os, time\ndef f(): time.sleep(0.4); return os.getpid()", per_process=20)
    bench.run(written)

    attempts = wait(bench.submit_all(written, [b"{}"] * 20))

    assert len({attempt.outcome.result for attempt in attempts}) == 1
    assert max(attempt.at_s for attempt in attempts) - attempts[0].run.created_at < allowed(2)


def test_no_more_than_may_lie_with_a_runner(make_bench):
    bench = make_bench(size=1)
    attempts = bench.submit_all(driven("wait", per_process=5), [b"{}"] * 12)
    runs(bench, 5)
    [view] = bench.view()
    assert (view.function, view.in_flight, view.window) == ("wait", 5, 5)
    assert bench.do(bench.executor.capacity) == (0, {"wait": 0})

    bench.cancel(attempts[0])

    assert attempts[0].wait().status == "cancelled"
    assert eventually(lambda: sum(attempt.run.serial > 0 for attempt in attempts) == 6)
    runs(bench, 5)


def test_cancelling_one_of_a_hundred_ends_no_other(make_bench):
    bench = make_bench(size=1)
    attempts = bench.submit_all(driven("sleep"), [b'{"s": 4}'] * COUNT)
    runs(bench, COUNT)
    pids = bench.pids()

    assert bench.cancel(attempts[ILL])

    assert attempts[ILL].wait(0.8).status == "cancelled"
    assert kinds(wait(attempts)) == only_ill("cancelled")
    assert not sum(attempt.returned for attempt in attempts)
    assert bench.pids() == pids


def test_hundreds_of_time_limits_due_at_once_are_kept(make_bench):
    bench = make_bench(size=1)
    written = driven("sleep", per_process=300, timeout_s=1)
    bench.run(written)
    pids = bench.pids()

    attempts = wait(bench.submit_all(written, [SLEEP] * 300))

    assert Counter(kinds(attempts)) == {"timeout": 300}
    assert json.loads(attempts[0].outcome.error)["message"] == "ran longer than 1 s"
    late_s = [attempt.at_s - attempt.run.sent_at - 1 for attempt in attempts]
    assert 0 <= min(late_s) <= max(late_s) < allowed(1)
    assert bench.run(written).status == "succeeded"
    assert bench.pids() == pids


def test_a_thousand_that_are_out_of_time_are_asked_to_end_in_one_write(make_bench, monkeypatch):
    bench = make_bench(size=1)
    written = driven("sleep", per_process=1_000, timeout_s=1)
    bench.run(written)
    attempts = bench.submit_all(written, [SLEEP] * 1_000)
    [runner] = bench.runners()
    writes, looks = [], []
    send, limit_at = runner.process.send, ConcurrentRunner.limit_at
    monkeypatch.setattr(runner.process, "send", lambda data: writes.append(1) or send(data))
    monkeypatch.setattr(
        ConcurrentRunner, "limit_at", lambda mode: looks.append(1) or limit_at(mode)
    )

    assert Counter(kinds(wait(attempts))) == {"timeout": 1_000}

    assert len(writes) <= 5
    assert 0 < len(looks) < 100


def test_time_limits_are_those_of_each_attempt_s_own_beginning(make_bench):
    bench = make_bench(size=1)
    written = driven("sleep", timeout_s=0.6)
    bench.run(written)
    first = bench.submit(written, SLEEP, id="first")
    assert not first.is_over.wait(0.3)
    second = bench.submit(written, SLEEP, id="second")

    for attempt in (first, second):
        attempt.wait()
        assert attempt.kind == "timeout"
        assert 0.6 <= attempt.at_s - attempt.run.sent_at < allowed(0.9)


def test_a_time_limit_in_a_thread_hits_its_own_attempt(make_bench):
    bench = make_bench(size=1)
    written = write(
        "import time\ndef f(s: float):\n end = time.monotonic() + s\n"
        " while time.monotonic() < end: time.sleep(0.01)\n",
        per_process=20,
        timeout_s=0.5,
    )

    attempts = bench.submit_all(written, [b'{"s": %d}' % (60 * (n == 7)) for n in range(20)])

    assert kinds(wait(attempts)) == [*["succeeded"] * 7, "timeout", *["succeeded"] * 12]
    assert len(bench.pids()) == 1


def test_a_function_that_fills_its_runners_leaves_the_last_one_to_others(make_bench):
    bench = make_bench(size=3)
    many = bench.submit_all(driven("sleep"), [SLEEP] * 300)
    runs(bench, COUNT, COUNT)
    bench.gives_again = False
    assert eventually(lambda: sum(attempt.returned > 0 for attempt in many) == COUNT)
    assert bench.do(bench.executor.capacity)[0] == 1

    other = bench.submit(OTHER, id="other")

    assert other.wait(5).status == "succeeded"
    assert other.returned == 0
    runs(bench, COUNT, COUNT)


def test_a_runner_that_many_share_is_closed_where_others_find_none(make_bench):
    bench = make_bench(size=1)
    many = bench.submit_all(driven("sleep"), [b'{"s": 0.5}'] * 20)
    runs(bench, 20)
    assert bench.do(bench.executor.capacity)[0] == 1

    other = bench.submit(OTHER, id="other")
    eventually(lambda: [runner.state for runner in bench.runners()] == ["closed"])
    late = bench.submit(driven("sleep"), b'{"s": 0}', id="late")

    assert other.wait(5).status == late.wait(5).status == "succeeded"
    assert other.at_s < late.at_s
    assert kinds(wait(many)) == ["succeeded"] * 20
    assert other.returned == 0


def test_a_place_that_comes_as_patience_ends_is_taken(make_bench, monkeypatch):
    monkeypatch.setattr(runner_pool, "_PATIENCE_S", 0.0)  # it ends in every turn of the loop
    bench = make_bench(size=1)
    many = bench.submit_all(driven("sleep"), [b'{"s": 0.2}'] * 20)
    runs(bench, 20)

    other = bench.submit(OTHER, id="other")

    assert other.wait(5).status == "succeeded"
    assert other.returned == 0
    assert kinds(wait(many)) == ["succeeded"] * 20


def test_a_runner_is_replaced_after_its_number_of_attempts(make_bench):
    bench = make_bench(size=2, most_attempts=50)
    code = json.dumps({"code": "await asyncio.sleep(0.05); return os.getpid()"}).encode()

    attempts = wait(bench.submit_all(driven(), [code] * 200))

    pids = Counter(attempt.outcome.result for attempt in attempts)
    assert set(pids.values()) == {50}


def test_a_runner_that_does_not_read_stops_nobody_else(make_bench):
    bench = make_bench(size=2)
    bench.run(driven("sleep"))
    [pid] = bench.pids()
    os.kill(pid, signal.SIGSTOP)
    large = json.dumps({"code": f"return len({'x' * 300_000!r})"}).encode()
    stuck = bench.submit_all(driven(), [large] * COUNT)
    eventually(lambda: any(runner.process.is_stuck for runner in bench.runners()))
    began_at = time.monotonic()

    results = [bench.run(OTHER, id=f"other-{n}") for n in range(20)]

    assert {outcome.status for outcome in results} == {"succeeded"}
    assert time.monotonic() - began_at < allowed(3)
    assert not any(attempt.is_over.is_set() for attempt in stuck)
    os.kill(pid, signal.SIGCONT)
    assert {attempt.outcome.result for attempt in wait(stuck)} == {b"300000"}


def test_drain_lets_run_what_has_begun_and_gives_back_what_waits(make_bench):
    bench = make_bench(size=1)
    bench.gives_again = False
    written = driven("sleep", per_process=10)
    attempts = bench.submit_all(written, [b'{"s": 0.5}'] * 15)
    runs(bench, 10)

    bench.do(bench.executor.return_unstarted)

    assert eventually(lambda: all(attempt.is_over.is_set() for attempt in attempts))
    assert [attempt.returned for attempt in attempts] == [0] * 10 + [1] * 5
    assert kinds(attempts[:10]) == ["succeeded"] * 10


def test_stop_kills_all(make_bench):
    bench = make_bench(size=2)
    bench.gives_again = False
    attempts = bench.submit_all(driven("sleep"), [SLEEP] * COUNT)
    runs(bench, COUNT)

    bench.do(bench.executor.stop)

    assert eventually(lambda: all(attempt.is_over.is_set() for attempt in attempts))
    lost = [attempt for attempt in attempts if not attempt.returned]
    assert kinds(lost) in ([], ["lost"])  # who executes at that moment
    assert eventually(lambda: bench.pids() == [])


def test_a_harmless_one_is_as_good_as_none(bench):
    attempts = run(bench, "1 / 0")

    assert kinds(attempts) == only_ill("exception")
    assert len(bench.pids()) == 1
