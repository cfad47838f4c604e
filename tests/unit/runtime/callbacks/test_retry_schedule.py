"""The timetable: waits, jitter, Retry-After, and what ends a delivery."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.callbacks.delivery_attempt import DeliveryOutcome
from runtime.callbacks.retry_schedule import DELAYS_MS, MOST_STEPS, next_after, retry_after_ms

NOW_MS = 1_763_804_000_000
S = 1_000
H = 3_600 * S
BROKEN = DeliveryOutcome(duration_ms=1, status_code=500)


def delay_after(ended: DeliveryOutcome, *, step: int = 1, roll: float = 0.0):
    return next_after(ended, step=step, now_ms=NOW_MS, roll=roll)


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_2xx_is_delivered(code: int):
    assert delay_after(DeliveryOutcome(duration_ms=1, status_code=code)).status == "delivered"


@pytest.mark.parametrize("code", [100, 199, 300, 301, 302, 308, 400, 404, 429, 500, 503])
def test_everything_else_is_tried_again(code: int):
    assert delay_after(DeliveryOutcome(duration_ms=1, status_code=code)).status == "pending"


def test_no_answer_is_tried_again():
    assert delay_after(DeliveryOutcome(duration_ms=1, error="no answer")).status == "pending"


@pytest.mark.parametrize("step", [1, 5, MOST_STEPS])
def test_410_stops_at_any_step(step: int):
    assert (
        delay_after(DeliveryOutcome(duration_ms=1, status_code=410), step=step).status == "stopped"
    )


def test_the_waits_are_those_of_the_standard():
    waits_s = [delay_after(BROKEN, step=step).retry_in_ms // S for step in range(1, MOST_STEPS)]

    hours = [2, 5, 10, 14, 20, 24]
    assert waits_s == [5, 5 * 60, 30 * 60, *(h * 3600 for h in hours)]


def test_the_last_attempt_is_not_followed_by_another():
    assert delay_after(BROKEN, step=MOST_STEPS).status == "failed"
    assert delay_after(BROKEN, step=MOST_STEPS + 5).status == "failed"


def test_what_is_hopeless_is_not_tried_again():
    assert (
        delay_after(DeliveryOutcome(duration_ms=0, error="gone", fate="hopeless")).status
        == "failed"
    )


def test_what_our_own_stopping_cut_short_is_due_at_once():
    follows = delay_after(
        DeliveryOutcome(duration_ms=0, error="stopped", fate="interrupted"), step=4
    )

    assert (follows.status, follows.retry_in_ms) == ("pending", 0)


@given(step=st.integers(1, MOST_STEPS - 1), roll=st.floats(0, 1, exclude_max=True))
def test_jitter_only_adds_and_little(step, roll):
    wait_ms = delay_after(BROKEN, step=step, roll=roll).retry_in_ms

    assert DELAYS_MS[step - 1] <= wait_ms <= DELAYS_MS[step - 1] * 1.1 + 1


@pytest.mark.parametrize(
    ("header", "step", "wait_ms"),
    [
        ("60", 1, 60 * S),
        ("1", 1, 5 * S),
        ("0", 2, 300 * S),
        ("999999999999999999", 1, 24 * H),
        ("soon", 1, 5 * S),
        ("-5", 1, 5 * S),
        ("1.5", 1, 5 * S),
        ("", 1, 5 * S),
        ("Sat, 22 Nov 2025 10:33:20 GMT", 1, 3_600 * S),
        ("Sat, 22 Nov 2025 08:33:20 GMT", 1, 5 * S),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 1, 24 * H),
    ],
)
def test_retry_after_lengthens_the_wait_within_a_day(header: str, step: int, wait_ms: int):
    busy = DeliveryOutcome(duration_ms=1, status_code=429, retry_after=header)

    assert delay_after(busy, step=step).retry_in_ms == wait_ms


def test_retry_after_does_not_add_attempts():
    busy = DeliveryOutcome(duration_ms=1, status_code=429, retry_after="60")

    assert delay_after(busy, step=MOST_STEPS).status == "failed"


@given(st.text(max_size=40))
def test_no_retry_after_can_break_the_timetable(text):
    wait_ms = retry_after_ms(text, now_ms=NOW_MS)

    assert wait_ms is None or wait_ms >= 0
