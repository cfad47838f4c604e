"""Bursts that are cut short: attempts cancelled, let go of, or not asked for."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter

from tests.integration.execution.crew import (
    ILL,
    begun,
    calls,
    kinds,
    once_each,
    only_ill,
    quick_crew,
)
from tests.support.waiting import eventually


def begin_two(crew, work, path):
    """Run the first, and have the second begin by that; a busy machine may want several tries."""
    for _ in range(20):
        first = crew.one(work[0], lambda _: work[1:])
        with contextlib.suppress(AssertionError):
            eventually(lambda: 1 in begun(path), within_s=0.3, every_s=0.001)
            return first
        crew.warm_up()
        path.write_text("")
    raise AssertionError("nothing was sent ahead")


def test_cancelling_one_that_runs_kills_nobody_else(bench, path):
    crew = quick_crew(bench)

    def cancel():
        eventually(lambda: path.exists() and ILL in begun(path), every_s=0.001)
        assert bench.cancel(str(ILL))

    canceller = threading.Thread(target=cancel)
    canceller.start()
    ended = crew.run(calls(path, "time.sleep(60)"))
    canceller.join()

    assert kinds(ended) == only_ill("cancelled")
    assert begun(path) == once_each()


def test_one_cancelled_while_it_lies_ahead_does_not_begin_or_is_over(bench, path):
    crew = quick_crew(bench)
    crew.cancelled = {str(ILL)}

    ended = crew.run(calls(path))

    assert kinds(ended) == only_ill("cancelled")
    assert not set(once_each()) - set(begun(path)) - {ILL}


def test_cancelling_at_any_moment_hits_who_was_meant(bench, path):
    crew = quick_crew(bench)
    hit, stop = set(), threading.Event()

    def cancel_for_ever():
        while not stop.is_set():
            for n in range(0, 600, 7):
                if bench.cancel(str(n)):
                    hit.add(n)

    canceller = threading.Thread(target=cancel_for_ever)
    canceller.start()
    ended = crew.run(calls(path, count=600))
    stop.set()
    canceller.join()

    assert {n for n, kind in enumerate(kinds(ended)) if kind == "cancelled"} == hit
    assert set(kinds(ended)) <= {"cancelled", "succeeded"}
    assert max(begun(path).values()) == 1


def test_letting_go_keeps_what_has_begun_and_frees_the_rest(make_bench, path):
    bench = make_bench(size=1)
    crew = quick_crew(bench)
    work = crew.assign(calls(path, "time.sleep(0.05)", count=6, ill=1))

    first = begin_two(crew, work, path)
    kept = bench.executor.let_go()
    eventually(lambda: bench.executor.let_go() and bench.pool._idle)  # it is over, and free
    second = crew.one(work[1], lambda _: ())

    assert first.outcome.status == second.outcome.status == "succeeded"
    assert kept == ("1",)
    assert 50 <= second.outcome.duration_ms < 1000
    assert bench.executor.let_go() == ()
    assert begun(path) == Counter([0, 1])
    assert crew.one(work[5], lambda _: ()).outcome.status == "succeeded"


def test_one_that_has_begun_before_its_thread_asks_for_it_can_be_cancelled(make_bench, path):
    bench = make_bench(size=1)
    crew = quick_crew(bench)
    work = crew.assign(calls(path, "time.sleep(60)", count=6, ill=1))
    begin_two(crew, work, path)

    hits = [bench.cancel(str(n)) for n in (0, 2, 1)]
    ended = [crew.one(work[n], lambda _: ()) for n in (1, 2)]

    assert hits == [False, False, True]
    assert kinds(ended) == ["cancelled", "succeeded"]
    assert begun(path) == Counter([0, 1, 2])


def test_an_attempt_that_is_not_asked_for_does_not_hold_up_others(make_bench, path):
    bench = make_bench(size=1)
    crew = quick_crew(bench)
    work = crew.assign(calls(path, "time.sleep(60)", count=6, ill=1))

    crew.one(work[0], lambda _: work[1:])
    last = crew.one(work[5], lambda _: ())

    assert last.outcome.status == "succeeded"
    assert begun(path)[5] == 1
