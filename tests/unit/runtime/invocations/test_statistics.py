"""Tallies: reading the fields of a minute, adding up, quantiles within a histogram's step."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.invocations.statistics import Tally, quantile_ms, sum_tallies, tallies_of
from runtime.store.statistics_calls import BOUNDS_MS


def test_the_bounds_are_those_of_the_script_that_counts():
    script = resources.files("runtime.store") / "lua/include/tally.lua"
    listed = re.search(r"local BOUNDS = \{(.+?)\}", script.read_text())

    assert listed is not None
    assert tuple(int(bound) for bound in listed[1].split(",")) == BOUNDS_MS


def test_a_minute_is_read_by_function():
    tallies = tallies_of(
        {"a.b:succeeded": 3, "a.b:run:2": 3, "a.b:run:ms": 21, "c:failed": 1, "c:queue:15": 1}
    )

    assert tallies["a.b"].ended() == 3
    assert tallies["a.b"].run == {2: 3}
    assert tallies["c"].queue == {15: 1}
    assert tallies["c"].failure_rate() == 1.0


def test_what_is_of_no_function_is_left_out():
    assert tallies_of({"take_overs": 4, "delivery:delivered:x": 1, "f:unheard_of": 2}) == {}


def test_nothing_ended_has_no_failure_rate_and_no_quantile():
    assert Tally().failure_rate() is None
    assert quantile_ms({}, 0.5) is None


@pytest.mark.parametrize(
    ("histogram", "share", "expected"),
    [
        ({1: 10}, 0.5, 2.5),
        ({1: 10}, 1.0, 5.0),
        ({2: 4}, 0.5, 7.5),
        ({1: 50, 4: 50}, 0.95, 47.5),
        ({15: 3}, 0.5, 300_000),
        ({1: 1, 15: 99}, 0.95, 300_000),
    ],
)
def test_a_quantile_is_interpolated_within_its_step(histogram, share, expected):
    assert quantile_ms(histogram, share) == pytest.approx(expected)


TIMES = st.lists(st.integers(0, 400_000), min_size=1, max_size=200)


def step_of(time_ms: int) -> int:
    return next((i for i, bound in enumerate(BOUNDS_MS, 1) if time_ms <= bound), 15)


@given(times=TIMES, share=st.sampled_from([0.5, 0.95]))
def test_a_quantile_lies_in_the_step_of_the_true_one(times, share):
    tally = Tally()
    for time_ms in times:
        tally.run[step_of(time_ms)] += 1
    true = sorted(times)[max(0, -int(-share * len(times) // 1) - 1)]

    found = quantile_ms(tally.run, share)

    assert found is not None
    edges = (0, *BOUNDS_MS, BOUNDS_MS[-1])
    assert edges[step_of(true) - 1] <= found <= edges[step_of(true)]


def test_a_sum_leaves_its_parts_as_they_were():
    part = tallies_of({"f:succeeded": 1})["f"]

    total = sum_tallies([part, part])

    assert (total.ended(), part.ended()) == (2, 1)
