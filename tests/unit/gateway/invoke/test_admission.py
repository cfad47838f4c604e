"""What a caller is told of his pace, and whom calls are counted for."""

from __future__ import annotations

import pytest

from gateway.auth.caller import ANYBODY, CALLER, Caller, address_of
from gateway.invoke.admission import read_admission
from runtime.access.scopes import EVERYTHING
from runtime.errors import SettingsError
from runtime.sdk.options import Rate
from runtime.settings import Settings
from runtime.store.submission_commands import Pace, Submitted

HERE = {"client": ("192.0.2.1", 1), CALLER: ANYBODY}
PACE = Pace(caller="192.0.2.1", count=100, per_ms=60_000)


def admission(rate: str = "", max_waiting: int = 0):
    return read_admission(Settings(caller_rate=rate, max_waiting=max_waiting))


def test_without_a_rate_nobody_is_counted():
    assert admission().pace(HERE) is None
    assert admission().headers(Submitted(reception="NEW", id="x"), None) == {}


def test_a_rate_is_counted_by_address():
    assert admission("100/m").pace(HERE) == PACE


def test_all_keys_of_a_name_are_one_caller_and_their_own_rate_comes_first():
    usual = Caller(grant=EVERYTHING, name="shop", key_id="a")
    slow = Caller(grant=EVERYTHING, name="shop", key_id="b", rate=Rate(count=2, per_s=1))

    paces = [admission("100/m").pace({**HERE, CALLER: caller}) for caller in (usual, slow)]

    assert paces == [
        Pace(caller="key:shop", count=100, per_ms=60_000),
        Pace(caller="key:shop", count=2, per_ms=1000),
    ]


def test_headers_say_what_is_left_and_when_all_is_back():
    submitted = Submitted(reception="NEW", id="x", calls_left=7, reset_ms=1_001)

    assert admission("100/m").headers(submitted, PACE) == {
        "RateLimit-Policy": '"default";q=100;w=60',
        "RateLimit": '"default";r=7;t=2',
    }


def test_who_is_too_fast_learns_when_to_come_again():
    limited = Submitted(
        reception="LIMITED", id="x", retry_after_ms=2_100, calls_left=0, reset_ms=62_100
    )

    refusal = admission("100/m").refusal(limited, "f", PACE)

    assert refusal is not None
    assert (refusal.status, refusal.code) == (429, "rate_limited")
    assert refusal.headers["Retry-After"] == "3"
    assert refusal.headers["RateLimit"] == '"default";r=0;t=63'


@pytest.mark.parametrize(
    ("reception", "status", "code"),
    [
        ("FULL", 429, "queue_full"),
        ("CONFLICT", 422, "idempotency_key_reused"),
        ("INCOMPLETE", 503, "store_unavailable"),
        ("REVOKED", 401, "unauthenticated"),
    ],
)
def test_every_refusal_is_a_problem(reception, status, code):
    refusal = admission().refusal(Submitted(reception=reception, id="x"), "f")

    assert refusal is not None
    assert (refusal.status, refusal.code) == (status, code)


def test_what_was_taken_is_none():
    assert admission().refusal(Submitted(reception="NEW", id="x"), "f") is None
    assert admission().refusal(Submitted(reception="REPLAYED", id="x"), "f") is None


@pytest.mark.parametrize("rate", ["100", "fast", "0/m", "100/fortnight"])
def test_a_rate_that_is_none_names_its_setting(rate):
    with pytest.raises(SettingsError, match=r"PENSTOCK_CALLER_RATE.*100/m"):
        admission(rate)


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (None, "local"),
        (("192.0.2.1", 5), "192.0.2.1"),
        (("2001:db8:1:2:3::4", 5), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 5), "fe80::/64"),
        (("::ffff:192.0.2.1", 5), "192.0.2.1"),
        (("no:address", 5), "no:address"),
    ],
)
def test_a_caller_is_an_address_or_a_network_of_ipv6(client, address):
    assert address_of({"client": client}) == address
