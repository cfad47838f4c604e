"""POST /functions/{name}: accepted, waited for, and told truthfully."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec
import pytest

from runtime.store.scripts import Command
from tests.support.gateway_process import RunningGateway, error_json


@pytest.fixture
def pool():
    with ThreadPoolExecutor(8) as threads:
        yield threads


def post_call(http: httpx.Client, name: str = "greet", **kwargs) -> httpx.Response:
    kwargs.setdefault("json", {"name": "Ada"})
    return http.post(f"/functions/{name}", **kwargs)


def test_a_call_is_accepted_with_the_invocation(gateway, http):
    answer = post_call(http)

    invocation = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/invocations/{invocation['id']}"
    assert answer.headers["X-Call-Id"] == invocation["id"]
    assert int(answer.headers["Retry-After"]) >= 1
    assert invocation["status"] == "queued"
    assert invocation["arguments"] == {"name": "Ada"}
    assert invocation["version"] == "aaaaaaaaaaaa"
    assert gateway.claim().id == invocation["id"]


def test_the_arguments_travel_byte_for_byte(gateway, http):
    body = b' {"name" : "A\\u00e9", "times": 12345678901234567890123} '

    answer = http.post(
        "/functions/greet", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 202
    assert gateway.claim().arguments == body


def test_who_waits_gets_the_result_in_the_same_answer(gateway, http, pool):
    waiting = pool.submit(post_call, http, headers={"Prefer": "wait=10"})
    gateway.finish(gateway.claim(), result=b'"Hello Ada"')

    answer = waiting.result()
    assert answer.status_code == 200
    assert answer.json()["result"] == "Hello Ada"
    assert answer.json()["arguments"] == {"name": "Ada"}
    assert answer.headers["Preference-Applied"] == "wait=10"


def test_waiting_costs_no_further_command(gateway, http, pool):
    before = _evalshas(gateway)
    waiting = pool.submit(post_call, http, headers={"Prefer": "wait=10"})
    claimed = gateway.claim()
    claims = _evalshas(gateway) - before - 1

    gateway.finish(claimed, result=b"1")
    waiting.result()

    assert _evalshas(gateway) == before + 1 + claims + 1


def test_many_waiters_at_once_each_get_their_own(gateway, http, pool):
    names = [f"n{number}" for number in range(8)]
    waiting = [
        pool.submit(post_call, http, json={"name": name}, headers={"Prefer": "wait=10"})
        for name in names
    ]
    for _ in names:
        claimed = gateway.claim()
        gateway.finish(claimed, result=claimed.arguments)

    answers = [future.result().json()["result"] for future in waiting]
    assert answers == [{"name": name} for name in names]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("exception", 502, "function_failed"), ("timeout", 504, "function_timeout")],
)
def test_a_failure_is_a_problem_that_carries_the_invocation(
    gateway, http, pool, kind, status, code
):
    waiting = pool.submit(post_call, http, headers={"Prefer": "wait=10"})
    gateway.finish(gateway.claim(), "failed", error=error_json(kind, "no luck"))

    answer = waiting.result()
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert answer.json()["invocation"]["error"]["message"] == "no luck"
    assert answer.json()["invocation"]["arguments"] == {"name": "Ada"}


def test_cancelled_while_waiting_is_409(gateway, http, pool):
    waiting = pool.submit(post_call, http, headers={"Prefer": "wait=10"})
    gateway.finish(gateway.claim(), "cancelled")

    answer = waiting.result()
    assert (answer.status_code, answer.json()["code"]) == (409, "invocation_cancelled")


def test_when_time_runs_out_the_answer_is_202_as_it_stands(gateway, http, pool):
    waiting = pool.submit(post_call, http, headers={"Prefer": "wait=1"})
    claimed = gateway.claim()

    answer = waiting.result()
    assert answer.status_code == 202
    assert answer.json()["status"] == "running"
    assert answer.headers["Location"] == f"/invocations/{claimed.id}"


@pytest.mark.parametrize("prefer", ["wait=soon", "wait=-1", "wait", '"', "wait=1.5", ";;"])
def test_a_bad_preference_is_ignored(gateway, http, prefer):
    answer = post_call(http, headers={"Prefer": prefer})

    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers
    gateway.claim()


def test_respond_async_is_applied(gateway, http):
    answer = post_call(http, headers={"Prefer": "respond-async"})

    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "respond-async")
    gateway.claim()


def test_an_empty_body_is_an_empty_object(gateway, http):
    answer = http.post("/functions/greet")

    assert answer.json()["errors"] == [{"pointer": "/name", "detail": "is required"}]


def test_a_raw_body_becomes_the_bytes_parameter(gateway, http):
    answer = http.post(
        "/functions/pictures.shrink", content=b"\x89PNG", headers={"Content-Type": "image/png"}
    )

    assert answer.status_code == 202
    arguments = msgspec.json.decode(gateway.claim().arguments)
    assert base64.b64decode(arguments["image"]) == b"\x89PNG"


def test_the_parts_of_a_form_become_arguments(gateway, http):
    answer = http.post(
        "/functions/pictures.shrink",
        files={"image": ("a.png", b"\x89PNG", "image/png")},
        data={"width": "64", "title": "12"},
    )

    assert answer.status_code == 202
    assert msgspec.json.decode(gateway.claim().arguments) == {
        "image": base64.b64encode(b"\x89PNG").decode(),
        "width": 64,
        "title": "12",
    }


def test_a_function_that_takes_the_request_gets_it_whole(gateway, http):
    headers = {
        "X-GitHub-Event": "ping",
        "Content-Type": "text/x-whatever",
        "Cookie": "session=1",
        "Authorization": "Basic Zm9vOmJhcg==",
    }

    answer = http.post("/functions/hook?a=1&a=2&b=", content=b"{not json", headers=headers)

    assert answer.status_code == 202
    claimed = gateway.claim()
    request = msgspec.json.decode(claimed.request)
    assert claimed.arguments == b"{}"
    assert base64.b64decode(request["body"]) == b"{not json"
    assert request["query"] == {"a": ["1", "2"], "b": ""}
    kept = {name.lower(): value for name, value in request["headers"].items()}
    assert kept["x-github-event"] == "ping"
    assert "cookie" not in kept
    assert kept["authorization"] == headers["Authorization"]  # it is for nobody but the function


def _evalshas(gateway: RunningGateway) -> int:
    info = gateway.connection.run(Command(("INFO", "commandstats"), bytes.decode))
    return sum(
        int(row.split("calls=")[1].split(",")[0])
        for row in info.splitlines()
        if row.startswith(("cmdstat_eval:", "cmdstat_evalsha:"))
    )
