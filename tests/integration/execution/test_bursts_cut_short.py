"""Bursts that are cut short: attempts cancelled, taken back, or given back."""

from __future__ import annotations

import threading

import psutil

from tests.integration.execution.bench import kinds
from tests.integration.execution.crew import (
    COUNT,
    ILL,
    begun,
    calls,
    once_each,
    only_ill,
    quick_crew,
)
from tests.integration.execution.test_bursts import SWALLOW
from tests.support.waiting import allowed, eventually


def wait_for_begun(path, number):
    eventually(lambda: path.exists() and number in begun(path), every_s=0.001)


def test_cancelling_one_that_runs_kills_nobody_else(bench, path):
    crew = quick_crew(bench)
    attempts = crew.begin(calls(path, "time.sleep(60)"))
    wait_for_begun(path, ILL)

    assert bench.cancel(str(ILL))

    assert kinds(crew.wait(attempts)) == only_ill("cancelled")
    assert begun(path) == once_each()
    assert not bench.cancel(str(ILL))


def test_one_cancelled_while_it_lies_ahead_does_not_begin(make_bench, path):
    bench = make_bench(size=1)
    crew = quick_crew(bench)
    [pid] = bench.pids()
    psutil.Process(pid).suspend()
    attempts = crew.begin(calls(path))

    assert bench.cancel(str(ILL))
    psutil.Process(pid).resume()

    assert kinds(crew.wait(attempts)) == only_ill("cancelled")
    assert set(once_each()) - set(begun(path)) == {ILL}
    assert bench.pids() == [pid]


def test_cancelling_at_any_moment_hits_who_was_meant(bench, path):
    crew = quick_crew(bench)
    hit, stop = set(), threading.Event()

    def cancel_for_ever():
        while not stop.is_set():
            for n in range(0, 600, 7):
                if bench.cancel(str(n)):
                    hit.add(n)

    canceller = threading.Thread(target=cancel_for_ever)
    attempts = crew.begin(calls(path, count=600))
    canceller.start()
    crew.wait(attempts)
    stop.set()
    canceller.join()

    assert {n for n, kind in enumerate(kinds(attempts)) if kind == "cancelled"} == hit
    assert set(kinds(attempts)) <= {"cancelled", "succeeded"}
    assert max(begun(path).values()) == 1


def test_cancelling_the_one_that_runs_lets_those_behind_it_run_elsewhere(make_bench, path):
    bench = make_bench(size=1)
    crew = quick_crew(bench)
    attempts = crew.begin(calls(path, "time.sleep(60)", count=6, ill=1))
    wait_for_begun(path, 1)
    eventually(attempts[0].is_over.is_set)

    hits = [bench.cancel(str(n)) for n in (0, 1)]

    assert hits == [False, True]
    assert kinds(crew.wait(attempts)) == ["succeeded", "cancelled", *["succeeded"] * 4]
    assert set(begun(path).values()) == {1}


def test_giving_back_keeps_what_has_begun_and_frees_the_rest(make_bench, path):
    bench = make_bench(size=1)
    crew = quick_crew(bench)
    bench.gives_again = False
    attempts = crew.begin(calls(path, "time.sleep(0.3)", count=COUNT, ill=1))
    wait_for_begun(path, 1)

    bench.do(bench.executor.return_unstarted)

    assert eventually(lambda: all(attempt.is_over.is_set() for attempt in attempts))
    assert kinds(attempts[:2]) == ["succeeded"] * 2
    assert [attempt.returned for attempt in attempts] == [0, 0, *[1] * (COUNT - 2)]
    assert begun(path) == {0: 1, 1: 1}


def test_those_behind_a_slow_one_that_find_no_runner_are_given_back(make_bench, path):
    bench = make_bench(size=1)
    crew = quick_crew(bench)
    bench.gives_again = False
    attempts = crew.begin(calls(path, "time.sleep(60)", count=6, ill=1))
    wait_for_begun(path, 1)

    assert eventually(lambda: all(attempt.is_over.is_set() for attempt in attempts[2:]))

    assert [attempt.returned for attempt in attempts] == [0, 0, 1, 1, 1, 1]
    assert max(attempt.at_s - attempt.run.created_at for attempt in attempts[2:]) < allowed(0.5)
    assert not attempts[1].is_over.is_set()


def test_one_cancelled_while_its_runner_is_being_killed_never_begins(make_bench, path):
    bench = make_bench(size=1)
    crew = quick_crew(bench)
    [pid] = bench.pids()
    psutil.Process(pid).suspend()
    attempts = crew.begin(calls(path, count=4))

    def kill_and_cancel():
        [runner] = bench.runners_here()
        runner.kill()
        bench.executor.cancel(attempts[3].run)

    bench.do(kill_and_cancel)

    assert kinds(crew.wait(attempts)) == ["succeeded"] * 3 + ["cancelled"]
    assert begun(path) == {0: 1, 1: 1, 2: 1}


def test_those_that_were_passed_over_run_in_the_order_in_which_they_came(make_bench, path):
    bench = make_bench(size=1)
    crew = quick_crew(bench)

    crew.run(calls(path, SWALLOW + "os.kill(os.getpid(), 9)", ill=1))

    order = [int(word) for word in path.read_text().split()]
    assert order == list(range(COUNT))
