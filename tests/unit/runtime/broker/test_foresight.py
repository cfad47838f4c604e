"""Which functions are worth taking ahead, and how much of them."""

from __future__ import annotations

import pytest

from runtime.broker.foresight import Foresight


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("runtime.broker.foresight.time.monotonic", lambda: now[0])
    return now


def run(foresight: Foresight, count: int, *, took_s: float, name: str = "f") -> None:
    for _ in range(count):
        foresight.note(name, took_s)


def test_nothing_is_known_to_be_quick_at_first():
    assert Foresight().ahead() == 0


def test_a_dozen_quick_runs_make_a_function_quick_and_a_slow_one_ends_it():
    foresight = Foresight()
    run(foresight, 3, took_s=0.0001)
    assert "f" not in foresight.quick
    run(foresight, 12, took_s=0.0001)
    assert "f" in foresight.quick

    run(foresight, 1, took_s=0.1)

    assert "f" not in foresight.quick


def test_functions_are_told_apart():
    foresight = Foresight()
    run(foresight, 30, took_s=0.0001, name="quick")
    run(foresight, 30, took_s=0.1, name="slow")

    assert foresight.quick == {"quick"}


def test_as_much_is_taken_ahead_as_was_lately_finished(clock: list[float]):
    foresight = Foresight()
    rates = []
    for count in (20, 20, 20, 20, 500, 500, 500):
        run(foresight, count, took_s=0.0001)
        clock[0] += 0.01
        rates.append(foresight.ahead())

    assert rates[3] in range(18, 26)  # 2,000 a second, 12 ms of them
    assert rates[-1] == 56


def test_after_a_rest_little_is_taken_ahead(clock: list[float]):
    foresight = Foresight()
    run(foresight, 500, took_s=0.0001)
    clock[0] += 0.01
    assert foresight.ahead() > 20

    clock[0] += 10

    assert foresight.ahead() == 0


def test_in_doubt_nothing_is_quick():
    foresight = Foresight()
    run(foresight, 30, took_s=0.0001)

    foresight.doubt()

    assert "f" not in foresight.quick
    assert foresight.ahead() == 0


def test_only_what_is_far_shorter_than_quick_is_instant():
    foresight = Foresight()
    run(foresight, 40, took_s=0.0001, name="instant")
    run(foresight, 40, took_s=0.001, name="quick")

    assert [foresight.is_instant(name) for name in ("instant", "quick", "unknown")] == [
        *(True, False, False)
    ]
    assert foresight.quick == {"instant", "quick"}
