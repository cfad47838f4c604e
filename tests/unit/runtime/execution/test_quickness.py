"""Quickness: only what has been quick again and again goes in bursts, and as long as it is."""

from __future__ import annotations

from runtime.execution.quickness import QUICK_S, Quickness


def after(*ran_s):
    quickness = Quickness()
    for each in ran_s:
        quickness.note("f", "v", each)
    return quickness.burst("f", "v")


def test_a_burst_grows_with_each_quick_attempt_up_to_a_limit():
    assert [after(*[0.00001] * times) for times in (0, 1, 2, 15, 50)] == [1, 2, 3, 16, 16]


def test_a_slow_attempt_ends_it():
    assert after(*[0.00001] * 20, QUICK_S) == 1
    assert after(*[0.00001] * 20, QUICK_S, 0.00001) == 2


def test_a_burst_is_expected_to_end_within_a_moment():
    assert after(*[QUICK_S / 4] * 20) == 4
    assert after(*[QUICK_S * 0.9] * 20) == 1


def test_one_longer_attempt_counts_for_a_while():
    assert after(*[0.00001] * 20, QUICK_S / 4) == 4
    assert after(*[0.00001] * 20, QUICK_S / 4, *[0.00001] * 60) == 16


def test_versions_and_functions_are_told_apart_and_forgotten_when_they_are_many():
    quickness = Quickness()
    quickness.note("f", "v", 0.00001)

    assert quickness.burst("f", "w") == quickness.burst("g", "v") == 1
    for number in range(2_000):
        quickness.note("g", str(number), 0.00001)
    assert quickness.burst("f", "v") == 1
