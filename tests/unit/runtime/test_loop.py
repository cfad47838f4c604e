"""The loop: what is ready, what is due, what was asked for, in this order; whatever it raises."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from runtime.loop import Loop
from runtime.telemetry.background import CRASHES
from tests.support.loop_thread import running_loop, turn_until
from tests.support.waiting import allowed, eventually


def test_timers_are_called_in_the_order_of_their_moments(loop: Loop):
    called: list[str] = []
    now = loop.time()
    loop.call_at(now + 0.03, lambda: called.append("third"))
    loop.call_at(now + 0.01, lambda: called.append("first"))
    loop.call_at(now + 0.02, lambda: called.append("second"))
    loop.call_at(now + 0.01, lambda: called.append("first, asked for later"))

    turn_until(loop, lambda: len(called) == 4)

    assert called == ["first", "first, asked for later", "second", "third"]
    assert loop.time() >= now + 0.03


def test_a_timer_is_not_called_early_nor_waited_past(loop: Loop):
    called_at: list[float] = []
    asked_at = loop.time()
    loop.call_later(0.05, lambda: called_at.append(loop.time()))

    while not called_at:
        loop.turn(60)

    assert 0.05 <= called_at[0] - asked_at < allowed(1)


def test_a_cancelled_timer_is_never_called_even_if_it_is_due(loop: Loop):
    called: list[str] = []
    late = loop.call_later(0, lambda: called.append("late"))
    loop.call_at(loop.time() - 1, late.cancel)  # due before the other, in the same turn
    gone = loop.call_later(0, lambda: called.append("gone"))
    gone.cancel()
    gone.cancel()
    loop.call_later(0.01, lambda: called.append("kept"))

    turn_until(loop, lambda: called)
    late.cancel()  # after it was called, or would have been

    assert called == ["kept"]


def test_what_only_cancelled_timers_wait_for_does_not_end_the_wait(loop: Loop):
    for _ in range(3):
        loop.call_later(0.001, lambda: None).cancel()

    began_at = time.monotonic()
    loop.turn(0.05)

    assert time.monotonic() - began_at >= 0.045


def test_timers_that_ask_for_themselves_again_do_not_starve_readers(loop: Loop, pair):
    ours, theirs = pair
    read: list[bytes] = []
    times = 0

    def again() -> None:
        nonlocal times
        times += 1
        loop.call_at(0.0, again)  # always due

    loop.add_reader(ours.fileno(), lambda: read.append(ours.recv(10)))
    again()
    theirs.send(b"x")

    loop.turn(1)
    loop.turn(1)

    assert read == [b"x"]
    assert times == 3


def test_what_is_asked_for_soon_comes_at_the_end_of_the_turn(loop: Loop, pair):
    ours, theirs = pair
    called: list[str] = []

    def read() -> None:
        ours.recv(10)
        loop.call_soon(lambda: called.append("soon"))
        called.append("reader")

    loop.add_reader(ours.fileno(), read)
    loop.call_at(loop.time() - 1, lambda: called.append("timer"))
    theirs.send(b"x")

    loop.turn(1)

    assert called == ["reader", "timer", "soon"]


def test_a_turn_does_not_wait_where_something_was_asked_for_before(loop: Loop):
    called: list[float] = []
    loop.call_soon(lambda: called.append(loop.time()))
    asked_at = loop.time()

    loop.turn(60)

    assert called[0] - asked_at < allowed(1)


def test_a_thread_wakes_the_loop_and_what_it_asks_for_runs_in_the_loop_s(loop: Loop):
    ran_in: list[int] = []
    thread = threading.Timer(
        0.02, lambda: loop.call_soon_threadsafe(lambda: ran_in.append(threading.get_ident()))
    )
    thread.start()

    began_at = time.monotonic()
    loop.turn(10)
    thread.join()

    assert time.monotonic() - began_at < allowed(5)
    assert ran_in == [threading.get_ident()]


def test_nothing_that_many_threads_ask_for_is_lost(loop: Loop):
    heard: list[tuple[int, int]] = []

    def ask(who: int) -> None:
        for number in range(14_000):  # more than the pipe that wakes holds one after the other
            loop.call_soon_threadsafe(lambda number=number: heard.append((who, number)))

    threads = [threading.Thread(target=ask, args=(who,)) for who in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    turn_until(loop, lambda: len(heard) == 70_000)

    assert sorted(heard, key=lambda one: one[0]) == [
        (w, n) for w in range(5) for n in range(14_000)
    ]


def test_a_signal_handler_may_ask_for_something(loop: Loop):
    called: list[str] = []
    before = signal.signal(
        signal.SIGUSR1, lambda *_: loop.call_soon_threadsafe(lambda: called.append("heard"))
    )
    try:
        killer = threading.Timer(0.02, lambda: os.kill(os.getpid(), signal.SIGUSR1))
        killer.start()
        turn_until(loop, lambda: called)
        killer.join()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_what_asks_from_a_thread_for_itself_again_lets_others_have_their_turn(loop: Loop):
    times = 0

    def again() -> None:
        nonlocal times
        times += 1
        loop.call_soon_threadsafe(again)

    again()
    called: list[int] = []
    loop.call_later(0, lambda: called.append(times))

    turn_until(loop, lambda: called)

    assert called[0] < 5


def test_asking_a_loop_that_is_closed_harms_nobody():
    made = Loop()
    made.close()

    made.call_soon_threadsafe(lambda: None)


@pytest.mark.parametrize("kind", ["reader", "timer", "soon", "thread"])
def test_a_callback_that_raises_is_counted_and_the_loop_goes_on(loop: Loop, pair, kind: str):
    ours, theirs = pair
    called: list[str] = []
    CRASHES.take()

    def fail() -> None:
        if kind == "reader":
            ours.recv(10)
        raise ValueError("broken")

    if kind == "reader":
        loop.add_reader(ours.fileno(), fail)
        theirs.send(b"x")
    elif kind == "timer":
        loop.call_later(0, fail)
    elif kind == "soon":
        loop.call_soon(fail)
    else:
        loop.call_soon_threadsafe(fail)
    loop.call_later(0.01, lambda: called.append("on"))

    turn_until(loop, lambda: called)

    assert CRASHES.take() == 1


def test_lag_is_how_long_turns_were_and_is_counted_afresh_when_asked(loop: Loop):
    loop.take_lag()
    loop.call_soon(lambda: time.sleep(0.03))
    loop.turn(0)
    loop.turn(0.05)  # waiting is no lag

    lag = loop.take_lag()

    assert lag.turns == 2
    assert 0.03 <= lag.max_s <= lag.sum_s < allowed(0.05 + 0.03)
    assert loop.take_lag() == (0, 0.0, 0.0)


def test_stopping_from_a_thread_ends_a_run():
    with running_loop() as thread:
        assert thread.do(lambda: threading.current_thread().name) == "loop"
    eventually(lambda: "loop" not in {each.name for each in threading.enumerate()})
