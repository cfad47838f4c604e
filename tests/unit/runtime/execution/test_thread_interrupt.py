"""Guard: an interruption comes once, in time, or never."""

from __future__ import annotations

import sys
import threading

import pytest

from runtime.execution.thread_interrupt import InterruptGuard, ThreadInterrupt


def test_disarmed_guard_is_never_interrupted():
    guard = InterruptGuard(60)
    guard.disarm()

    assert not guard.interrupt("cancelled")
    assert guard.cause is None


def test_only_the_first_interrupts():
    guard = InterruptGuard(60)
    causes = []

    def interrupt_twice():
        causes.append(guard.interrupt("cancelled"))
        causes.append(guard.interrupt("timeout"))

    thread = threading.Thread(target=interrupt_twice)
    with pytest.raises(ThreadInterrupt):  # noqa: PT012 - it may come anywhere in here
        thread.start()
        while True:
            pass
    thread.join()

    assert causes == [True, False]
    assert guard.cause == "cancelled"


def test_interruption_that_is_under_way_arrives_before_disarm_returns():
    """Race the end of a call against its interruption; it may come inside, never after."""
    switch_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    inside = 0
    try:
        for round_number in range(2_000):
            guard = InterruptGuard(60)
            thread = threading.Thread(target=guard.interrupt, args=("timeout",))
            try:
                try:
                    thread.start()
                    for _ in range(round_number % 100):
                        pass
                finally:
                    guard.disarm()
            except ThreadInterrupt:
                inside += 1
            for _ in range(200):
                pass  # here it would be a bug, and fail the test
            thread.join()
    finally:
        sys.setswitchinterval(switch_s)

    assert inside > 0


def test_nothing_is_interrupted_while_it_is_held_off_and_it_comes_at_the_end():
    guard = InterruptGuard(60)
    guard.hold_off()

    assert not guard.interrupt("timeout")
    for _ in range(10_000):
        pass
    with pytest.raises(ThreadInterrupt):
        guard.let_in(lambda: "timeout")

    assert guard.cause == "timeout"
    guard.disarm()


def test_what_was_held_off_for_nothing_can_be_interrupted_later():
    guard = InterruptGuard(60)
    guard.hold_off()
    guard.let_in(lambda: None)

    with pytest.raises(ThreadInterrupt):  # noqa: PT012 - it may come anywhere in here
        threading.Thread(target=guard.interrupt, args=("cancelled",)).start()
        while True:
            pass

    guard.disarm()


def test_one_that_is_on_its_way_comes_before_it_is_held_off():
    guard = InterruptGuard(60)
    held = []

    with pytest.raises(ThreadInterrupt):  # noqa: PT012 - it may come anywhere in here
        threading.Thread(target=guard.interrupt, args=("cancelled",)).start()
        while guard.cause is None:
            pass
        guard.hold_off()
        held.append(True)

    assert not held
    guard.hold_off()  # a function that has swallowed it goes on
    guard.let_in(lambda: "cancelled")
    guard.disarm()


def test_an_interruption_and_its_holding_off_may_come_together():
    """Whichever comes first, one Interruption comes, and `disarm` returns."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for _ in range(300):
            asked = []
            guard = InterruptGuard(60)

            def interrupt(guard=guard, asked=asked):
                asked.append("cancelled")
                guard.interrupt("cancelled")

            thread = threading.Thread(target=interrupt)
            came = 0
            try:
                try:
                    thread.start()
                    while True:
                        guard.hold_off()
                        guard.let_in(lambda asked=asked: asked[0] if asked else None)
                finally:
                    guard.disarm()
            except ThreadInterrupt:
                came += 1
            thread.join()
            assert came == 1
            assert guard.cause == "cancelled"
    finally:
        sys.setswitchinterval(interval)
