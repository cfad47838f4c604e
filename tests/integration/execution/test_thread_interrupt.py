"""Time limits and cancellations in the thread lane hit their own attempt, in time, or nothing."""

from __future__ import annotations

import random
import sys
import time

from runtime.execution import thread_interrupt
from runtime.telemetry.background import CRASHES
from tests.integration.execution.thread_bench import (
    HOLDING,
    go_on,
    has_begun,
    hold,
    lane_threads,
    threaded,
)
from tests.support.waiting import allowed


def test_time_limits_and_cancellations_hit_no_attempt_but_their_own(make_lane):
    """Short calls one after the other in one thread, some out of time, some cancelled."""
    lane = make_lane(1)
    written = threaded(
        "import time\ndef f(us: int):\n end = time.monotonic() + us / 1e6\n"
        " while time.monotonic() < end: pass\n return us",
        timeout_s=0.004,
    )
    CRASHES.take()  # of tests before
    chance = random.Random(7)
    switch_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        lane.make_quick(written, b'{"us":1}')
        kinds: dict[bool, set[str]] = {True: set(), False: set()}
        for _ in range(40):
            lengths = [chance.choice((10, 200, 3_900, 4_100)) for _ in range(10)]
            runs = [lane.make(written, b'{"us":%d}' % us) for us in lengths]
            lane.submit(runs)
            cancelled = chance.sample(runs, 3)
            for run in cancelled:
                time.sleep(chance.random() / 500)
                lane.cancel(run)
            lane.wait(*runs)
            for run, us in zip(runs, lengths, strict=True):
                kinds[run in cancelled].add(run.ending.kind)
                if run.ending.kind == "succeeded":
                    assert run.result == b"%d" % us
                elif run not in cancelled:
                    assert run.ran_s >= 0.004  # a busy machine makes short ones late, too
    finally:
        sys.setswitchinterval(switch_s)

    assert kinds[False] == {"succeeded", "timeout"}
    assert "cancelled" in kinds[True]
    assert CRASHES.take() == 0
    assert len(lane_threads()) == 1


def test_an_interruption_under_way_when_a_call_ends_hits_nothing_after_it(make_lane, monkeypatch):
    lane = make_lane(1)
    written = threaded(HOLDING)
    run = lane.submit_one(written, hold("call"))
    has_begun("call")
    send = thread_interrupt.send_exception

    def send_when_the_call_has_ended(thread_id, error):
        go_on("call")
        deadline = time.monotonic() + 0.1
        while not run.is_over and time.monotonic() < deadline:
            time.sleep(0.001)
        return send(thread_id, error)

    monkeypatch.setattr(thread_interrupt, "send_exception", send_when_the_call_has_ended)
    lane.cancel(run)
    monkeypatch.undo()

    lane.wait(run)
    assert run.ending.kind == "cancelled"
    [thread] = lane_threads()
    assert lane.run(written).result == b"%d" % thread.ident


def test_a_short_time_limit_is_kept_while_others_run(lane):
    written = threaded("def f():\n while True: pass", timeout_s=0.1)
    lane.submit_one(threaded(HOLDING), hold("beside"))
    began_at = time.monotonic()

    outcome = lane.run(written)

    assert b'"timeout"' in outcome.error
    assert time.monotonic() - began_at < allowed(0.4)
    go_on("beside")
