"""Tallies: reading the fields of a minute, adding up, quantiles within a histogram's step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.invocations.statistics import OutcomeCounts, quantile_ms, sum_tallies, tallies_of
from runtime.store.statistics_commands import begin_of_step


def test_a_minute_is_read_by_function():
    tallies = tallies_of(
        {"a.b:succeeded": 3, "a.b:run:27.5ms": 3, "c:failed": 1, "c:queue:300000ms": 1}
    )

    assert tallies["a.b"].ended() == 3
    assert tallies["a.b"].run == {27.5: 3}
    assert tallies["c"].queue == {300_000: 1}
    assert tallies["c"].failure_rate() == 1.0


def test_what_is_of_no_function_is_left_out():
    assert tallies_of({"take_overs": 4, "delivery:x:1ms": 1, "f:unheard_of": 2, "f:run:3": 1}) == {}


def test_nothing_ended_has_no_failure_rate_and_no_quantile():
    assert OutcomeCounts().failure_rate() is None
    assert quantile_ms({}, 0.5) is None


@pytest.mark.parametrize(
    ("histogram", "share", "expected"),
    [
        ({0: 10}, 0.5, 0.0),
        ({7: 10}, 0.95, 7.0),
        ({11: 4}, 0.5, 10.5),
        ({11: 4}, 1.0, 11.0),
        ({2: 50, 27.5: 50}, 0.95, 25 + 2.5 * 0.9),
        ({2_000: 200}, 0.5, 1_950),
        ({2: 1, 7_500_000: 99}, 0.95, 7_000_000 + 500_000 * 94.0 / 99),
    ],
)
def test_a_quantile_is_interpolated_within_its_step(histogram, share, expected):
    assert quantile_ms(histogram, share) == pytest.approx(expected)


TIMES = st.lists(st.integers(0, 10**9), min_size=1, max_size=200)


def bound_of(time_ms: int) -> float:
    """The upper bound of the step that a time is in, the slow way."""
    bounds = [float(ms) for ms in range(11)]
    while bounds[-1] < time_ms:
        base = 10 ** (len(str(int(bounds[-1]))) - 1)
        parts = 10 if bounds[-1] < 2.5 * base else 4 if bounds[-1] < 5 * base else 2
        bounds.append(bounds[-1] + base / parts)
    return next(bound for bound in bounds if time_ms <= bound)


@pytest.mark.parametrize("bound", [0, 1, 10, 11, 25, 27.5, 50, 55, 100, 110, 250, 2_000, 300_000])
def test_a_step_is_a_tenth_wide_at_most(bound):
    begin = begin_of_step(bound)

    assert bound_of(int(bound)) == bound
    assert (begin == bound) == (bound <= 10)
    assert bound - begin <= 0.1 * begin + 1e-9


@given(times=TIMES, share=st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_within_a_tenth_of_the_true_one(times, share):
    tally = OutcomeCounts()
    for time_ms in times:
        tally.run[bound_of(time_ms)] += 1
    true = sorted(times)[max(0, -int(-share * len(times) // 1) - 1)]

    found = quantile_ms(tally.run, share)

    assert found is not None
    assert abs(found - true) <= 0.1 * true + 1e-6


def test_a_sum_leaves_its_parts_as_they_were():
    part = tallies_of({"f:succeeded": 1})["f"]

    total = sum_tallies([part, part])

    assert (total.ended(), part.ended()) == (2, 1)
