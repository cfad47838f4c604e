"""The thread lane wakes few threads, gives endings back in groups, and keeps nobody waiting."""

from __future__ import annotations

import logging
import sys

from runtime.execution import thread_pool as threads_module
from runtime.execution.thread_attempt import LoadedVersions
from tests.integration.execution.thread_bench import (
    HELD,
    HOLDING,
    go_on,
    has_begun,
    hold,
    lane_threads,
    threaded,
)
from tests.support.waiting import eventually


def test_quick_attempts_come_back_in_groups(lane):
    written = threaded(HOLDING)
    lane.make_quick(written)
    runs = [lane.make(written) for _ in range(200)]

    lane.submit(runs)
    lane.wait(*runs)

    assert {run.ending.kind for run in runs} == {"succeeded"}
    assert len(lane.ended) == 200
    assert len(lane.groups) <= 50  # 7 on a machine with nothing else to do


def test_attempts_of_a_function_not_known_get_a_thread_each(lane):
    written = threaded(
        "import threading\nall_four = threading.Barrier(4)\ndef f(): all_four.wait(5)"
    )
    runs = [lane.make(written) for _ in range(4)]

    lane.submit(runs)
    lane.wait(*runs)

    assert [run.ending.kind for run in runs] == ["succeeded"] * 4


def test_an_attempt_thought_quick_that_is_not_keeps_neither_others_nor_endings(lane):
    written = threaded(HOLDING)
    lane.make_quick(written)
    before, after = lane.make(written), lane.make(written)
    held = lane.make(written, hold("long"))

    lane.submit([before, held, after])
    lane.wait(before, after)

    assert not held.is_over
    go_on("long")
    lane.wait(held)
    assert lane.count() == 0


def test_all_threads_kept_by_what_was_thought_quick_still_give_back_what_ends(make_lane):
    lane = make_lane(2)
    written = threaded(HOLDING)
    lane.make_quick(written)
    held = [lane.make(written, hold(name)) for name in ("one", "two", "three")]
    others = [lane.make(written) for _ in range(3)]

    lane.submit([others[0], held[0], others[1], held[1], others[2], held[2]])
    lane.wait(*others[:2])
    go_on("one")
    lane.wait(held[0], others[2])
    go_on("two")
    go_on("three")
    lane.wait(*held)


def test_what_has_not_begun_can_be_taken_back_and_never_runs(make_lane):
    lane = make_lane(1)
    written = threaded(HOLDING)
    first, second = lane.make(written, hold("first")), lane.make(written, hold("second"))
    lane.submit([first, second])
    has_begun("first")

    assert not lane.take_back(first)
    assert lane.take_back(second)
    assert not lane.take_back(second)

    assert lane.count() == 1
    go_on("first")
    lane.wait(first)
    assert lane.run(written).status == "succeeded"
    assert not HELD["second begun"].is_set()
    assert second not in lane.ended


def test_what_is_cancelled_before_it_begins_comes_back_and_never_runs(make_lane):
    lane = make_lane(1)
    written = threaded(HOLDING)
    first, second = lane.make(written, hold("first")), lane.make(written, hold("second"))
    lane.submit([first, second])
    has_begun("first")

    assert lane.cancel(second, by_caller=True)

    lane.wait(second)
    assert second.ending.kind == "cancelled"
    assert not HELD["second begun"].is_set()
    go_on("first")
    lane.wait(first)


def test_a_caller_s_cancellation_is_seen_and_forces_nothing(lane):
    written = threaded(
        """
        import time
        from penstock import Context
        def f(*, ctx: Context):
            ctx.emit("on")
            while not ctx.cancelled:
                time.sleep(0.001)
            ctx.emit("seen")
            return "result"
        """
    )
    run = lane.submit_one(written)
    eventually(lambda: lane.frames)

    assert lane.cancel(run, by_caller=True)

    lane.wait(run)
    assert (run.ending.kind, run.result) == ("cancelled", b"")
    assert lane.frames[-1] == ("i1", "event", b'"seen"')
    assert not lane.cancel(run)


def test_threads_end_when_they_have_nothing_to_do_and_are_made_anew(make_lane):
    lane = make_lane(4, idle_s=0.05)
    assert lane_threads() == []

    assert lane.run(threaded(HOLDING)).status == "succeeded"

    eventually(lambda: not lane_threads())
    assert not lane.is_looked_after()
    assert lane.run(threaded(HOLDING)).status == "succeeded"


def test_a_system_that_gives_no_thread_is_asked_again(lane, monkeypatch):
    make, refused = threads_module.lasting_thread, []

    def refuse_first(*args, **named):
        if not refused:
            refused.append(1)
            raise RuntimeError("can't start new thread")
        return make(*args, **named)

    monkeypatch.setattr(threads_module, "lasting_thread", refuse_first)

    assert lane.run(threaded(HOLDING)).status == "succeeded"
    assert refused


def test_an_attempt_that_the_lane_itself_fails_at_has_an_ending(lane, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(LoadedVersions, "functions_of", fail)
    run = lane.submit_one(threaded(HOLDING))

    lane.wait(run)

    assert (run.ending.kind, run.ending.message) == ("exception", "Penstock could not run it")
    assert lane.count() == 0


def test_output_is_given_back_for_good_though_something_still_runs(make_lane):
    before = sys.stdout, list(logging.root.handlers)
    lane = make_lane()
    lane.submit_one(threaded(HOLDING), hold("long"))
    has_begun("long")
    assert sys.stdout is not before[0]

    lane.on_loop(lane.lane.stop)
    go_on("long")

    eventually(lambda: not lane_threads())
    assert (sys.stdout, logging.root.handlers) == before
