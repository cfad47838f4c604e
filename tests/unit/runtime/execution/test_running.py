"""RunningAttempts: a cancellation hits its own attempt, or nothing."""

from __future__ import annotations

from runtime.execution.ending import Ending
from runtime.execution.running import RunningAttempts

DONE = Ending(kind="succeeded")


def test_cancel_stops_what_is_attached_and_wins():
    attempts, stopped = RunningAttempts(), []
    running = attempts.enter("a")
    running.attach(lambda: stopped.append("a"))

    assert attempts.cancel("a")

    assert stopped == ["a"]
    assert running.finish(DONE).kind == "cancelled"


def test_cancel_before_there_is_anything_to_stop_is_told_when_attaching():
    attempts = RunningAttempts()
    running = attempts.enter("a")

    attempts.cancel("a")

    assert not running.attach(lambda: None)


def test_cancel_after_detaching_stops_nothing_since_the_runner_is_another_s_by_then():
    attempts, stopped = RunningAttempts(), []
    running = attempts.enter("a")
    running.attach(lambda: stopped.append("a"))
    assert not running.detach()

    attempts.cancel("a")

    assert stopped == []


def test_cancel_after_the_end_is_refused():
    attempts = RunningAttempts()
    running = attempts.enter("a")

    ending = running.finish(DONE)

    assert not attempts.cancel("a")
    assert ending is DONE


def test_two_attempts_of_one_invocation_are_told_apart_when_one_leaves():
    attempts = RunningAttempts()
    first, second = attempts.enter("a"), attempts.enter("a")
    first.finish(DONE)
    attempts.leave(first)

    assert attempts.cancel("a")

    assert second.is_cancelled
    assert not first.is_cancelled
    assert not attempts.cancel("b")


def test_cancelling_one_that_lies_ahead_and_has_not_begun_cancels_nothing():
    attempts = RunningAttempts()
    running = attempts.enter("a")
    running.attach(lambda: False, is_ahead=True)

    assert not attempts.cancel("a")

    assert not running.is_cancelled


def test_cancelling_one_that_lies_ahead_stands_once_it_was_asked_for():
    attempts = RunningAttempts()
    running = attempts.enter("a")
    running.attach(lambda: False, is_ahead=True)
    running.ask_for()

    assert attempts.cancel("a")

    assert running.finish(DONE).kind == "cancelled"
