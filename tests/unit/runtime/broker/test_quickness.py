"""Which functions are worth taking ahead, and how much of them."""

from __future__ import annotations

import pytest

from runtime.broker.quickness import Quickness


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("runtime.broker.quickness.time.monotonic", lambda: now[0])
    return now


def run(quickness: Quickness, count: int, *, took_s: float, name: str = "f") -> None:
    for _ in range(count):
        quickness.note(name, took_s)


def test_nothing_is_known_to_be_quick_at_first():
    assert Quickness().ahead() == 0


def test_a_dozen_quick_runs_make_a_function_quick_and_a_slow_one_ends_it():
    quickness = Quickness()
    run(quickness, 3, took_s=0.0001)
    assert not quickness.is_quick("f")
    run(quickness, 12, took_s=0.0001)
    assert quickness.is_quick("f")

    run(quickness, 1, took_s=0.1)

    assert not quickness.is_quick("f")


def test_functions_are_told_apart():
    quickness = Quickness()
    run(quickness, 30, took_s=0.0001, name="quick")
    run(quickness, 30, took_s=0.1, name="slow")

    assert quickness.quick == {"quick"}


def test_as_much_is_taken_ahead_as_was_lately_finished(clock: list[float]):
    quickness = Quickness()
    rates = []
    for count in (20, 20, 20, 20, 500, 500, 500):
        run(quickness, count, took_s=0.0001)
        clock[0] += 0.01
        rates.append(quickness.ahead())

    assert rates[3] in range(18, 26)  # 2,000 a second, 12 ms of them
    assert rates[-1] == 56


def test_after_a_rest_little_is_taken_ahead(clock: list[float]):
    quickness = Quickness()
    run(quickness, 500, took_s=0.0001)
    clock[0] += 0.01
    assert quickness.ahead() > 20

    clock[0] += 10

    assert quickness.ahead() == 0


def test_in_doubt_nothing_is_quick():
    quickness = Quickness()
    run(quickness, 30, took_s=0.0001)

    quickness.doubt()

    assert not quickness.is_quick("f")
    assert quickness.ahead() == 0
