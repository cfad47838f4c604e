"""Pages of other origins: what a browser reads of the answers, and what a page can never do."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from runtime.sdk.options import Options
from runtime.sdk.response import encode_response
from runtime.store.access_commands import count_valid_keys
from tests.e2e.gateway.conftest import GREET, HOOK
from tests.support.api_keys import make_key
from tests.support.gateway_process import RunningGateway, closed_gateway, running_gateway
from tests.support.redis_server import own_redis

OPERATOR, SHOP, EVIL = "https://ops.example", "https://shop.example", "https://evil.example"
ORIGIN, EXPOSED = "access-control-allow-origin", "access-control-expose-headers"
FUNCTIONS = (replace(GREET, options=Options(cors=(SHOP,))), HOOK)
NAMED = {
    *("Location", "Retry-After", "Preference-Applied", "X-Call-Id", "ETag", "Link", "RateLimit"),
    *("RateLimit-Policy", "Idempotency-Replayed", "X-Duration-Seconds"),
}
CALL = {"name": "Ada"}
JUNK = {"Authorization": "Bearer a-token-of-the-page"}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with (
        own_redis(tmp_path_factory.mktemp("redis")) as url,
        running_gateway(url, cors_origins=OPERATOR, body_timeout_s=1) as gateway,
    ):
        gateway.publish(*FUNCTIONS)
        yield gateway


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("redis")
    with closed_gateway(folder, *FUNCTIONS, cors_origins="*") as gateway:
        yield gateway


def ask(
    gateway: RunningGateway, method: str, path: str, origin: str = "", **more: object
) -> httpx.Response:
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"} if origin else {}
    headers |= more.pop("headers", {})
    with httpx.Client(base_url=gateway.url, timeout=20, trust_env=False) as http:
        return http.request(method, path, headers=headers, **more)


def preflight(
    gateway: RunningGateway, path: str, origin: str, method: str = "POST", **headers: str
) -> httpx.Response:
    asked = {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,prefer",
        "Access-Control-Request-Private-Network": "true",
    }
    return ask(gateway, "OPTIONS", path, origin, headers=asked | headers)


def varies(answer: httpx.Response) -> bool:
    return "Origin" in answer.headers.get("vary", "")


@pytest.mark.parametrize(
    ("path", "origin", "methods"),
    [
        ("/functions/greet", SHOP, "POST, GET, HEAD, OPTIONS"),
        ("/functions/greet/batch", SHOP, "POST, OPTIONS"),
        ("/functions/hook", OPERATOR, "POST, GET, HEAD, OPTIONS"),
        ("/queues/default", OPERATOR, None),
        ("/function/greet/any/path", SHOP, "GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD"),
        ("/async-function/greet", SHOP, "POST, DELETE, OPTIONS"),
        ("/nowhere", OPERATOR, "GET, HEAD, POST, PUT, PATCH, DELETE"),
    ],
)
def test_a_preflight_of_an_allowed_page_says_what_the_route_takes(opened, path, origin, methods):
    answer = preflight(opened, path, origin)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers[ORIGIN] == origin
    given = answer.headers["access-control-allow-methods"]
    assert given == methods if methods else "POST" in given or "PATCH" in given
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type,prefer"
    assert int(answer.headers["access-control-max-age"]) == 7200
    assert varies(answer)
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-private-network" not in answer.headers


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/functions/greet", EVIL),
        ("/functions/hook", SHOP),
        ("/keys", SHOP),
        ("/functions/greet", "null"),
    ],
)
def test_a_preflight_of_another_page_gets_nothing_but_a_hint(opened, path: str, origin: str):
    answer = preflight(opened, path, origin)

    assert answer.status_code == 403
    assert not any(name.startswith("access-control-") for name in answer.headers)
    assert answer.json()["code"] == "cross_site_refused"
    assert "PENSTOCK_CORS_ORIGINS" in answer.json()["detail"]


def test_a_preflight_needs_no_key_and_other_options_are_as_before(closed, opened):
    assert preflight(closed, "/functions/greet", EVIL).headers[ORIGIN] == "*"

    plain = ask(opened, "OPTIONS", "/functions/greet")
    assert (plain.status_code, "POST" in plain.headers["allow"]) == (200, True)
    assert ask(closed, "OPTIONS", "/functions/greet", EVIL).status_code == 401


def test_a_page_calls_reads_the_headers_and_follows(opened):
    called = ask(opened, "POST", "/functions/greet", SHOP, json=CALL)
    where = called.headers["Location"]
    opened.finish(opened.claim(), result=b'"Hello"')
    shown = ask(opened, "GET", where, SHOP)
    tag = {"If-None-Match": shown.headers["ETag"]}
    answers = {
        202: called,
        200: shown,
        304: ask(opened, "GET", where, SHOP, headers=tag),
        404: ask(opened, "POST", "/functions/nope", OPERATOR, json=CALL),
        422: ask(opened, "POST", "/functions/greet", SHOP, json={}),
        413: ask(opened, "POST", "/functions/greet", SHOP, content=b"x" * 2_000_000),
        405: ask(opened, "PUT", "/functions/greet", SHOP),
    }
    events = ask(opened, "GET", f"{where}/events", SHOP)

    assert {answer.status_code: answer for answer in answers.values()} == answers
    assert events.headers["content-type"].startswith("text/event-stream")
    assert "event: end" in events.text
    for status, answer in [*answers.items(), (200, events)]:
        origin = OPERATOR if status == 404 else SHOP
        assert answer.headers[ORIGIN] == origin, status
        assert {*answer.headers[EXPOSED].split(", ")} == {*NAMED, "*"}
        assert varies(answer)
        assert "access-control-allow-credentials" not in answer.headers
    assert ask(opened, "GET", where, EVIL).headers.get(ORIGIN) is None


def test_a_page_reads_what_a_function_responds_and_the_gateway_says_who_may(opened):
    own = {ORIGIN: "*", "Access-Control-Allow-Credentials": "true", "X-Total": "7"}
    stored = encode_response(200, (("Content-Type", "text/plain"), *own.items()), b"hi")

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, opened, "POST", "/function/greet", SHOP, json=CALL)
        opened.finish(opened.claim(), result=stored, result_type="response")
        answer = asked.result(20)
    refused = ask(opened, "GET", "/function/greet?name=Ada", EVIL)
    later = ask(opened, "POST", "/async-function/greet", SHOP, json=CALL)
    opened.finish(opened.claim())

    assert (answer.status_code, answer.text, answer.headers["X-Total"]) == (200, "hi", "7")
    assert answer.headers.get_list(ORIGIN) == [SHOP]
    assert "access-control-allow-credentials" not in answer.headers
    assert (refused.status_code, later.status_code) == (403, 202)
    assert later.headers[ORIGIN] == SHOP


def test_a_page_reads_that_its_body_came_too_slowly(opened):
    with opened.connect() as sock:
        sock.sendall(
            b"POST /functions/greet HTTP/1.1\r\nHost: localhost\r\nOrigin: %b\r\n"
            b"Content-Length: 9\r\n\r\n{" % SHOP.encode()
        )
        answer = sock.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"\r\naccess-control-allow-origin: %b\r\n" % SHOP.encode() in answer


def test_a_response_that_a_cache_may_keep_says_that_the_origin_decides(opened):
    for path in ("/openapi.json", "/statistics"):
        assert varies(ask(opened, "GET", path)), path
    assert not varies(ask(opened, "POST", "/functions/greet", json={}))


@pytest.mark.parametrize("headers", [{}, JUNK])
def test_without_a_key_an_allowed_page_may_call_and_change_nothing_else(opened, headers):
    keys_before = opened.connection.run(count_valid_keys())
    new_key = {"name": "mine", "scopes": ["admin"]}

    called = ask(opened, "POST", "/functions/greet", SHOP, json=CALL, headers=headers)
    opened.finish(opened.claim())
    refused = [
        ask(opened, "POST", "/functions/hook", SHOP, headers=headers),
        ask(opened, "POST", "/functions/greet", EVIL, json=CALL, headers=headers),
        ask(opened, "POST", "/keys", OPERATOR, json=new_key, headers=headers),
        ask(opened, "PATCH", "/queues/default", OPERATOR, json={}, headers=headers),
        ask(opened, "POST", "/functions/greet/relock", SHOP, headers=headers),
    ]

    assert called.status_code == 202
    assert {answer.json()["code"] for answer in refused} == {"cross_site_refused"}
    assert refused[2].headers[ORIGIN] == OPERATOR
    assert opened.connection.run(count_valid_keys()) == keys_before


def test_a_password_that_a_browser_remembers_is_never_used_for_another_page(opened):
    made = make_key(opened.connection, "ada", "admin")

    answer = ask(opened, "POST", "/functions/greet", SHOP, json=CALL, auth=("ada", made.text))

    assert answer.json()["code"] == "cross_site_refused"


def test_with_a_key_a_page_may_do_what_the_key_may(closed):
    made = make_key(closed.connection, "page", "invoke:greet", "admin")

    called = ask(closed, "POST", "/functions/greet", EVIL, json=CALL, headers=made.headers)
    listed = ask(closed, "GET", "/keys", EVIL, headers=made.headers)

    assert (called.status_code, listed.status_code) == (202, 200)
    assert called.headers[ORIGIN] == listed.headers[ORIGIN] == "*"
    assert not varies(called)


def test_a_session_counts_nothing_for_a_page_of_another_origin(closed):
    made = make_key(closed.connection, "ada", "admin")
    login = httpx.post(f"{closed.url}/session", json={"key": made.text})
    cookies = {"Cookie": "; ".join(f"{k}={v}" for k, v in login.cookies.items())}

    called = ask(closed, "POST", "/functions/greet", EVIL, json=CALL, headers=cookies)
    made_key = ask(closed, "POST", "/keys", EVIL, json={}, headers=cookies)
    login_of_page = ask(closed, "POST", "/session", EVIL, json={"key": made.text})
    read = ask(closed, "GET", "/keys", EVIL, headers=cookies)

    assert (called.status_code, called.json()["code"]) == (401, "unauthenticated")
    assert called.headers[ORIGIN] == "*"
    assert made_key.json()["code"] == login_of_page.json()["code"] == "cross_site_refused"
    # A browser keeps this from the page: it asked with credentials, and `*` does not allow them.
    assert (read.headers[ORIGIN], "access-control-allow-credentials" in read.headers) == (
        "*",
        False,
    )


def test_a_long_call_without_a_key_is_refused_readably_before_its_body(closed):
    answer = ask(closed, "POST", "/functions/greet", EVIL, content=b"x" * 100_000)

    assert (answer.status_code, answer.headers[ORIGIN]) == (401, "*")
