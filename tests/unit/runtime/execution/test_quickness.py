"""Quickness: only what has been quick lately goes in bursts, and as many as end in a moment."""

from __future__ import annotations

from runtime.execution.quickness import QUICK_S, Quickness


def after(*ran_s):
    quickness = Quickness()
    for each in ran_s:
        quickness.note("f", "v", each)
    return quickness.burst("f", "v")


def test_a_burst_grows_as_a_function_proves_quick_up_to_a_limit():
    assert [after(*[0.00001] * times) for times in (0, 3, 6, 12, 50)] == [1, 1, 2, 4, 16]


def test_a_slow_run_ends_it_and_quick_ones_bring_it_back():
    assert after(*[0.00001] * 50, 0.1) == 1
    assert after(*[0.00001] * 50, 0.1, *[0.00001] * 60) == 16


def test_a_run_that_a_busy_machine_has_held_up_counts_little():
    assert after(*[0.00001] * 50, QUICK_S) > 4


def test_a_burst_is_expected_to_end_within_a_moment():
    assert after(*[QUICK_S / 4.5] * 80) == 4
    assert after(*[QUICK_S * 0.9] * 80) == 1


def test_versions_and_functions_are_told_apart_and_forgotten_when_they_are_many():
    quickness = Quickness()
    for _ in range(50):
        quickness.note("f", "v", 0.00001)

    assert quickness.burst("f", "w") == quickness.burst("g", "v") == 1
    for number in range(2_000):
        quickness.note("g", str(number), 0.00001)
    assert quickness.burst("f", "v") == 1
