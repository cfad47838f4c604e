"""A page whose name was rebound to loopback gets nothing of a gateway that asks for no key."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from gateway.routing.routes import ROUTES
from runtime.store.access_commands import count_valid_keys
from tests.support.gateway_process import RunningGateway, running_gateway

EVIL = "evil.example:8000"
PLACEHOLDERS = {"{name}": "greet", "{path}": "x"}
OPERATIONS = sorted(
    (operation.method, re.sub(r"{[^}]*}", lambda m: PLACEHOLDERS.get(m[0], "x"), route.path))
    for route in ROUTES
    for operation in route.operations
)
BEYOND_THE_TABLE = [
    *(("GET", "/nowhere"), ("OPTIONS", "/functions/greet"), ("PATCH", "/x")),
    *(("LINK", "/keys"), ("PUT", "/keys"), ("GET", "/dashboard/login?next=/keys")),
]
ORIGINS = {"none": {}, "its own": {"Origin": f"http://{EVIL}", "Sec-Fetch-Site": "same-origin"}}


@pytest.fixture
def ask(gateway: RunningGateway):
    def ask(method: str, path: str, **headers: str) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=10) as client:
            body = {"json": {"name": "x", "scopes": ["admin"]}} if method == "POST" else {}
            return client.request(method, f"{gateway.url}{path}", headers=headers, **body)

    return ask


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize(("method", "path"), [*OPERATIONS, *BEYOND_THE_TABLE])
def test_no_route_answers_under_a_foreign_name(ask, method: str, path: str, origin: str):
    answer = ask(method, path, Host=EVIL, **ORIGINS[origin])

    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"
    problem = json.loads(answer.content)
    assert set(problem) == {"type", "title", "status", "detail", "instance", "code"}
    assert problem["code"] == "misdirected_request"
    assert "PENSTOCK_PUBLIC_URL" in problem["detail"]


def test_a_head_request_is_refused_too(ask):
    assert ask("HEAD", "/functions", Host=EVIL).status_code == 421


def test_nothing_is_made_of_a_foreign_request(gateway, http, ask):
    made_before = gateway.connection.run(count_valid_keys())
    called_before = http.get("/invocations").json()["items"]

    ask("POST", "/keys", Host=EVIL, **ORIGINS["its own"])
    ask("POST", "/functions/greet", Host=EVIL, **ORIGINS["its own"])
    ask("POST", "/functions/greet", Host=EVIL)

    assert gateway.connection.run(count_valid_keys()) == made_before
    assert http.get("/invocations").json()["items"] == called_before


def test_a_head_that_is_known_does_not_help_a_foreign_one(gateway):
    head = b"POST /functions/greet HTTP/1.1\r\nHost: %b\r\nContent-Type: application/json\r\n"
    rest = b'Content-Length: 14\r\n\r\n{"name":"Ada"}'
    with gateway.connect() as sock:
        for _ in range(3):
            sock.sendall(head % b"localhost" + rest)
            assert sock.recv(65_536).startswith(b"HTTP/1.1 202 ")

        sock.sendall(head % b"evil.test" + rest)

        assert sock.recv(65_536).startswith(b"HTTP/1.1 421 ")
    for _ in range(3):
        gateway.finish(gateway.claim())


def test_where_keys_are_asked_for_any_name_will_do(redis_url):
    with running_gateway(redis_url, auth="required") as gateway:
        alive = httpx.get(f"{gateway.url}/livez", headers={"Host": EVIL})
        asked = httpx.get(f"{gateway.url}/functions", headers={"Host": EVIL})

    assert (alive.status_code, asked.status_code) == (200, 401)
