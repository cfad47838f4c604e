"""What is repeated, how long, and with which pauses."""

from __future__ import annotations

import math

import pytest

from penstock.client.errors import (
    ForbiddenError,
    FunctionFailedError,
    RateLimitedError,
    UnavailableError,
    UnreachableError,
)
from penstock.client.steps import Lost
from tests.support.scripted_flow import answer, problem, record, script

LOST = Lost(reason="reset")
AWAY = problem("store_unavailable", 503, retry_after="1")


def test_a_repeated_submission_is_the_same_request():
    played = script(LOST, AWAY, answer(record("queued"), 202))

    played.run(played.caller(tags=["a"]).submit("shout", {"text": "x"}))

    first, *again = [step.request for step in played.sent]
    assert first.headers["Idempotency-Key"]
    assert again == [first, first]


def test_each_call_has_a_key_of_its_own():
    played = script(answer(record("queued"), 202))

    for _ in range(2):
        played.run(played.caller().submit("shout", {}))

    one, other = (headers["Idempotency-Key"] for headers in played.headers)
    assert one != other


def test_pauses_grow_and_are_never_shorter_than_the_system_says():
    played = script(LOST, LOST, LOST, AWAY, answer(record("queued"), 202))

    played.run(played.caller().submit("shout", {}))

    assert played.pauses == [0.1, 0.2, 0.4, 1.8]


@pytest.mark.parametrize(
    ("reply", "error"),
    [(LOST, UnreachableError), (AWAY, UnavailableError), (problem("x", 429), RateLimitedError)],
)
def test_repeating_ends(reply, error):
    played = script(reply)

    with pytest.raises(error):
        played.run(played.caller(for_s=30).submit("shout", {}))

    assert 20 < played.now_s <= 30


def test_repeating_can_be_turned_off():
    played = script(LOST)

    with pytest.raises(UnreachableError):
        played.run(played.caller(for_s=0).submit("shout", {}))

    assert len(played.sent) == 1


def test_repeating_ends_with_the_timeout_of_the_call():
    played = script(LOST)

    with pytest.raises(UnreachableError):
        played.run(played.caller(for_s=math.inf, timeout=2).call("shout", {}))

    assert played.now_s <= 2


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (problem("forbidden", 403), ForbiddenError),
        (problem("function_failed", 502), FunctionFailedError),
    ],
)
def test_what_will_not_change_is_not_repeated(reply, error):
    played = script(reply)

    with pytest.raises(error):
        played.run(played.caller().call("shout", {}))

    assert len(played.sent) == 1
