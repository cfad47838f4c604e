"""The parts of the door that need no Redis: headers, origins, cookies, failures, bodies."""

from __future__ import annotations

import base64
import json

import pytest

from gateway.auth.csrf import comes_from_elsewhere, origin_of
from gateway.auth.failure_throttle import CHANCES_PER_S, FailureThrottle
from gateway.auth.key_body import NewKey, read_login, read_new_key
from gateway.auth.key_check import shown_key
from gateway.auth.session_cookie import cookie_for, session_of
from gateway.problems import ProblemError
from gateway.serving.request_parser import HEADERS
from runtime.access.api_key import digest_of_session, generate_session_text


def scope(**headers: str) -> dict:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"headers": raw, HEADERS: dict(raw)}


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Bearer pk_x", "pk_x"),
        ("bearer   pk_x ", "pk_x"),
        ("Bearer", ""),
        ("Bearer other", "other"),
        (basic("hook:pk_x"), "pk_x"),
        (basic(":pk_x"), "pk_x"),
        (basic("pk_x"), None),
        (basic("me:password"), None),
        ("Basic !", None),
        ("Digest pk_x", None),
    ],
)
def test_a_key_comes_as_bearer_or_as_a_password(header, key):
    assert shown_key(header) == key


@pytest.mark.parametrize(
    ("headers", "elsewhere"),
    [
        ({}, False),
        ({"sec_fetch_site": "same-origin"}, False),
        ({"sec_fetch_site": "none"}, False),
        ({"sec_fetch_site": "same-site"}, True),
        ({"sec_fetch_site": "cross-site"}, True),
        ({"sec_fetch_site": "cross-site", "origin": "http://here:1"}, True),
        ({"origin": "http://here:1"}, False),
        ({"origin": "http://HERE:1"}, False),
        ({"origin": "http://here:2"}, True),
        ({"origin": "http://here"}, True),
        ({"origin": "null"}, True),
        ({"origin": ""}, True),
        ({"origin": "https://shown.example"}, False),
    ],
)
def test_a_browser_tells_which_page_asks(headers, elsewhere):
    public = origin_of("https://shown.example/base")

    assert comes_from_elsewhere(scope(host="here:1", **headers), public) is elsewhere


def test_the_cookie_is_found_among_others_and_kept_from_scripts_and_other_sites():
    text = generate_session_text()

    cookie = cookie_for(text, lasts_ms=5_000, is_secure=True)

    name_and_value, *rules = cookie.split("; ")
    assert session_of(scope(cookie=f"a=b; {name_and_value}; c=d")) == digest_of_session(text)
    assert session_of(scope(cookie="penstock_session=x")) is None
    assert session_of(scope()) is None
    assert set(rules) == {"Path=/", "Max-Age=5", "HttpOnly", "SameSite=Strict", "Secure"}
    assert "Secure" not in cookie_for(text, lasts_ms=5_000, is_secure=False)


def test_an_address_waits_after_some_failures_and_only_that_one():
    now = [100.0]
    failures = FailureThrottle(lambda: now[0], most=2, window_s=60)
    waits = []

    for _ in range(3):
        waits.append(failures.wait_s("a"))
        failures.note("a")
        now[0] += 10

    assert waits == [0, 0, 40]
    assert failures.wait_s("b") == 0
    assert [failures.take_chance() for _ in range(CHANCES_PER_S + 1)].count(True) == CHANCES_PER_S
    now[0] = 160.0
    assert failures.wait_s("a") == 0
    assert failures.take_chance()


def test_a_body_says_what_a_key_shall_be():
    body = {"name": "shop", "scopes": ["read", "invoke:a", "read"], "rate": "5/s"}

    new = read_new_key(json.dumps({**body, "expires_in": "90d"}).encode())

    assert new == NewKey(
        name="shop", scopes=("invoke:a", "read"), rate="5/s", lifetime_ms=90 * 86_400_000
    )


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "Shop"}, "/name"),
        ({"name": None}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": "read"}, "/scopes"),
        ({"scopes": ["read", "fly"]}, "/scopes/1"),
        ({"scopes": ["read", 1]}, "/scopes/1"),
        ({"rate": "fast"}, "/rate"),
        ({"rate": 5}, "/rate"),
        ({"expires_in": "soon"}, "/expires_in"),
        ({"expires_in": 0}, "/expires_in"),
        ({"new_callback_secret": 1}, "/new_callback_secret"),
        ({"expires": "90d"}, "/expires"),
    ],
)
def test_what_is_wrong_in_it_is_pointed_at(change, pointer):
    body = {"name": "shop", "scopes": ["read"], **change}

    with pytest.raises(ProblemError) as refused:
        read_new_key(json.dumps(body).encode())

    assert [fault.pointer for fault in refused.value.errors] == [pointer]
    assert refused.value.code == "key_invalid"


@pytest.mark.parametrize("body", [{}, {"key": ""}, {"key": 1}, {"key": "k", "more": 1}])
def test_a_login_is_one_key(body):
    with pytest.raises(ProblemError):
        read_login(json.dumps(body).encode())
