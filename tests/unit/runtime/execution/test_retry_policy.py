"""Retries: growth, bounds, what is retried and what never."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.execution.retry_decision import (
    MOST_ATTEMPTS_ON_REQUEST,
    delay_ms,
    retry_after_failure,
    retry_on_request,
)
from runtime.sdk.options import RetryPolicy

policies = st.builds(
    RetryPolicy,
    retries=st.integers(0, 1_000),
    first_s=st.floats(0, 1_000),
    factor=st.floats(1, 10),
    longest_s=st.floats(0, 1_000_000),
    jitter=st.floats(0, 1),
)
rolls = st.floats(0, 1, exclude_max=True)


def after_failure(policy, attempt=1, error_type="exception", names=("ValueError", "Exception")):
    return retry_after_failure(
        policy, attempt, error_type=error_type, exception_names=names, roll=0.5
    )


@pytest.mark.parametrize(("attempt", "expected"), [(1, 100), (2, 200), (3, 400), (4, 500)])
def test_delay_grows_up_to_the_longest(attempt, expected):
    policy = RetryPolicy(first_s=0.1, longest_s=0.5, jitter=0)

    assert delay_ms(policy, attempt, roll=0.9) == expected


@given(policy=policies, attempt=st.integers(1, 10**9), roll=rolls)
def test_delay_stays_within_jitter_of_its_bounds(policy, attempt, roll):
    delay = delay_ms(policy, attempt, roll=roll)

    assert 0 <= delay <= policy.longest_s * 1000 * (1 + policy.jitter) + 1


@pytest.mark.parametrize(("roll", "expected"), [(0.0, 800), (0.5, 1000), (0.999999, 1200)])
def test_jitter_spreads_both_ways(roll, expected):
    assert delay_ms(RetryPolicy(first_s=1, jitter=0.2), 1, roll=roll) == expected


@pytest.mark.parametrize("error_type", ["exception", "timeout", "exited", "out_of_memory"])
def test_failures_are_retried_exactly_as_often_as_asked(error_type):
    policy = RetryPolicy(retries=2)

    retried = [after_failure(policy, n, error_type) is not None for n in range(1, 5)]

    assert retried == [True, True, False, False]


@pytest.mark.parametrize(
    "error_type", ["rejected", "result_not_serializable", "result_too_large", "worker_lost"]
)
def test_what_would_fail_again_is_not_retried(error_type):
    assert after_failure(RetryPolicy(retries=9), error_type=error_type) is None


def test_named_exceptions_and_their_subclasses_are_retried_and_no_others():
    policy = RetryPolicy(retries=1, on=("OSError",))

    assert after_failure(policy, names=("ConnectionResetError", "ConnectionError", "OSError"))
    assert after_failure(policy, names=("ValueError", "Exception")) is None
    assert after_failure(policy, error_type="timeout", names=()) is None
    assert after_failure(
        RetryPolicy(retries=1, on=("TimeoutError",)), error_type="timeout", names=()
    )


def test_asked_for_delay_wins():
    policy = RetryPolicy(retries=3, first_s=9, jitter=0)

    assert retry_on_request(policy, 1, after_s=0.5, roll=0) == 500
    assert retry_on_request(policy, 1, after_s=None, roll=0) == 9000


def test_asking_is_bounded_by_retries_or_by_the_house():
    asked = {"after_s": 0.0, "roll": 0.0}

    assert retry_on_request(RetryPolicy(retries=2), 2, **asked) == 0
    assert retry_on_request(RetryPolicy(retries=2), 3, **asked) is None
    assert retry_on_request(RetryPolicy(), MOST_ATTEMPTS_ON_REQUEST, **asked) == 0
    assert retry_on_request(RetryPolicy(), MOST_ATTEMPTS_ON_REQUEST + 1, **asked) is None


@pytest.mark.parametrize("after_s", [math.inf, math.nan, 1e300, -1.0])
def test_odd_delays_are_bounded(after_s):
    assert 0 <= retry_on_request(RetryPolicy(), 1, after_s=after_s, roll=0) < 10**12
