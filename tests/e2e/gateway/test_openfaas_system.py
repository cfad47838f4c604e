"""`/system` and `/healthz` as OpenFaaS's clients ask for them, their answers decoded as Go does.

The requests are those of `faas-cli`, which is written in Go and cannot be installed from here.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from datetime import datetime

import httpx
import msgspec
import pytest

from gateway.resources.openfaas_logs import MOST_FOLLOWED
from runtime.store.access_commands import revoke_key
from tests.e2e.gateway.conftest import GREET
from tests.support import go_decoding
from tests.support.api_keys import make_key
from tests.support.gateway_process import RunningGateway, error_json, running_gateway
from tests.support.go_decoding import decode
from tests.support.redis_server import own_redis
from tests.support.speaker import Speaker
from tests.support.waiting import eventually

CLI = {"User-Agent": "faas-cli/0.17.8", "Accept-Encoding": "gzip"}  # Go adds no Accept
FN = "openfaas-fn"
REFUSED = [
    ("PUT", "/system/functions", {"service": "x", "image": "ghcr.io/x:1"}, "functions folder"),
    ("POST", "/system/functions", {"service": "x", "image": "ghcr.io/x:1"}, "functions folder"),
    ("DELETE", "/system/functions", {"functionName": "greet"}, "functions folder"),
    (
        "POST",
        "/system/scale-function/greet",
        {"serviceName": "greet", "replicas": 3},
        "concurrency=",
    ),
    ("POST", "/system/secrets", {"name": "s", "value": "v"}, "PENSTOCK_FUNCTION_ENV"),
    ("PUT", "/system/secrets", {"name": "s", "value": "v"}, "PENSTOCK_FUNCTION_ENV"),
    ("DELETE", "/system/secrets", {"name": "s"}, "PENSTOCK_FUNCTION_ENV"),
]


@pytest.fixture
def cli(http: httpx.Client) -> httpx.Client:
    """A client that sends what `faas-cli` sends, and no more."""
    del http.headers["Accept"]
    http.headers.update(CLI)
    return http


@contextmanager
def reading(http: httpx.Client, **query: str | int):
    """Open the logs; yield an iterator of decoded messages."""
    with http.stream("GET", "/system/logs", params=query) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "application/x-ndjson"
        yield (decode(line, go_decoding.MESSAGE) for line in answer.iter_lines() if line)


def texts(http: httpx.Client, **query: str | int) -> list[str]:
    with reading(http, **query) as messages:
        return [message["text"] for message in messages]


def call(gateway: RunningGateway, http: httpx.Client, logs: bytes = b"", **how: object) -> str:
    """Run a call that prints; return its id."""
    http.post("/functions/greet", json={"name": "Ada"})
    claimed = gateway.claim()
    gateway.finish(claimed, logs=logs, **how)
    return claimed.id


def test_the_cli_is_ready_and_has_versions(cli):
    assert cli.get("/healthz").status_code == 200
    info = decode(cli.get("/system/info").text, go_decoding.INFO)

    assert info["provider"]["provider"] == "penstock"
    assert info["provider"]["version"]["release"] == info["version"]["release"] != ""
    assert info["arch"]


def test_a_list_is_an_array_of_statuses(cli, gateway, beat):
    beat("w-1", msgspec.json.encode({"queues": ["default"]}))
    beat("w-2", msgspec.json.encode({"queues": ["default", "slow"]}))
    beat("w-3", msgspec.json.encode({"queues": ["slow"]}))
    before = {f["name"]: f for f in cli.get("/system/functions").json()}
    call(gateway, cli)
    call(gateway, cli, status="failed", error=error_json("exception", "x"))

    found = decode(cli.get("/system/functions").text, go_decoding.STATUSES)

    greet = next(f for f in found if f["name"] == "greet")
    assert greet["image"] == "penstock/greet:aaaaaaaaaaaa"
    assert greet["namespace"] == FN
    assert greet["invocationCount"] == before["greet"]["invocationCount"] + 2
    assert (greet["replicas"], greet["availableReplicas"]) == (2, 2)
    assert greet["labels"] == {"queue": "default"}
    assert greet["annotations"]["summary"] == "Greet somebody"
    assert abs(time.time() - datetime.fromisoformat(greet["createdAt"]).timestamp()) < 3600
    broken = next(f for f in found if f["name"] == "broken")
    assert (broken["replicas"], broken["availableReplicas"]) == (0, 0)


@pytest.mark.parametrize("name", ["greet", f"greet.{FN}"])
@pytest.mark.parametrize("query", ["?usage=1", f"?usage=1&namespace={FN}"])
def test_a_description_is_that_of_the_list(cli, name, query):
    one = decode(cli.get(f"/system/function/{name}{query}").text, go_decoding.STATUS)
    listed = decode(cli.get(f"/system/functions{query}").text, go_decoding.STATUSES)

    assert one in listed
    assert one["name"] == "greet"


@pytest.mark.parametrize(
    "path",
    [
        "/system/function/nobody?usage=1",
        "/system/function/greet?namespace=other",
        "/system/namespace/other",
        "/system/logs?name=nobody",
        "/system/logs?name=greet&namespace=other",
        "/system/telemetry",
    ],
)
def test_what_there_is_not_is_404_in_a_line_of_text(cli, path):
    answer = cli.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.endswith("\n")
    assert answer.text.count("\n") == 1


def test_there_is_one_namespace_and_no_secret(cli):
    assert decode(cli.get("/system/namespaces").text, [go_decoding.TEXT]) == [FN]
    assert decode(cli.get(f"/system/namespace/{FN}").text, go_decoding.NAMESPACE)["name"] == FN
    assert decode(cli.get("/system/secrets?namespace=").text, go_decoding.SECRETS) == []
    assert cli.get("/system/functions?namespace=other").json() == []


@pytest.mark.parametrize(("method", "path", "body", "hint"), REFUSED)
def test_a_change_is_refused_with_what_to_do_instead(cli, method, path, body, hint):
    answer = cli.request(method, path, json=body)

    assert answer.status_code == 501
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert hint in answer.text


def test_a_client_that_names_json_gets_a_problem(http):
    answer = http.get("/system/function/nobody", headers={"Accept": "application/problem+json"})

    assert (answer.status_code, answer.json()["code"]) == (404, "function_not_found")


def test_logs_have_the_lines_of_each_invocation_in_order(cli, gateway):
    first = call(gateway, cli, b"one\ntwo\r\n\xff")
    second = call(gateway, cli, b"three\n")

    with reading(cli, name=f"greet.{FN}", tail=4) as messages:
        found = [(m["name"], m["namespace"], m["instance"], m["text"]) for m in messages]

    assert found == [
        ("greet", FN, first, "one"),
        ("greet", FN, first, "two"),
        ("greet", FN, first, "�"),
        ("greet", FN, second, "three"),
    ]
    assert texts(cli, name="greet", tail=2) == ["�", "three"]
    assert texts(cli, name="greet", tail=0)[-4:] == ["one", "two", "�", "three"]
    assert texts(cli, name="greet", instance=first) == ["one", "two", "�"]
    assert texts(cli, name="greet", tail=-1, follow="false")[-4:] == ["one", "two", "�", "three"]


def test_logs_have_every_attempt_and_begin_at_a_time(cli, gateway, speaker):
    speaker.append(("log", b"tried\n"))
    speaker.finish("retrying", error=error_json("exception", "x"))
    now_ms = time.time_ns() // 1_000_000
    eventually(lambda: time.time_ns() // 1_000_000 > now_ms)  # so that the attempts end apart
    again = Speaker(gateway, gateway.claim())
    assert again.id == speaker.id
    again.append(("log", b"tried again\n"), ("event", b"1"))
    again.finish(logs=b"tried again\n")
    [ended] = cli.get("/invocations?limit=1").json()["items"]

    assert texts(cli, name="greet", instance=again.id) == ["tried", "tried again"]
    assert texts(cli, name="greet", instance=again.id, since=ended["finished_at"]) == [
        "tried again"
    ]
    assert texts(cli, name="greet", since="2999-01-01T00:00:00+01:00") == []


def test_logs_of_what_runs_come_as_they_are_printed(cli, gateway, speaker):
    call(gateway, cli, b"before\n")
    speaker.append(("log", b"first\n"))

    with reading(cli, name="greet", follow="true", tail=2) as messages:
        assert {next(messages)["text"], next(messages)["text"]} == {"before", "first"}
        speaker.append(("log", b"second\n"), ("progress", b"{}"), ("log", b"third\n"))
        assert [next(messages)["text"] for _ in range(2)] == ["second", "third"]
        speaker.append(("log", b"last\n"))
        speaker.finish()
        call(gateway, cli, b"another\n")
        assert [next(messages)["text"] for _ in range(2)] == ["last", "another"]


def test_what_was_left_out_of_the_last_lines_does_not_come_later(cli, gateway, speaker):
    speaker.append(("log", b"long before\n"))
    call(gateway, cli, b"before\n")

    with reading(cli, name="greet", follow="1", tail=1) as messages:
        assert next(messages)["text"] == "before"
        speaker.append(("log", b"after\n"))
        assert next(messages)["text"] == "after"
        speaker.finish()


def test_not_everybody_may_follow_at_once_and_who_leaves_makes_room(cli):
    path = "/system/logs?name=greet&follow=true&tail=1"
    with ExitStack() as followers:
        answers = [
            followers.enter_context(cli.stream("GET", path)) for _ in range(MOST_FOLLOWED + 1)
        ]
        at_rest = cli.get("/system/logs?name=greet&tail=1")

    assert {answer.status_code for answer in answers} == {200, 429}
    assert answers[-1].headers["retry-after"]
    assert at_rest.status_code == 200

    def follows() -> bool:
        with cli.stream("GET", path) as answer:
            return answer.status_code == 200

    eventually(follows)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "?name"),
        ("name=greet&follow=maybe", "?follow"),
        ("name=greet&tail=all", "?tail"),
        ("name=greet&tail=--1", "?tail"),
        ("name=greet&since=yesterday", "?since"),
    ],
)
def test_a_query_that_cannot_be_read_is_refused(cli, query, parameter):
    answer = cli.get(f"/system/logs?{query}")

    assert answer.status_code == 422
    assert answer.text.startswith(f"{parameter}: ")


def test_unknown_parameters_are_ignored(cli):
    assert cli.get("/system/logs?name=greet&lines=5&tail=1&x=").status_code == 200
    assert cli.get("/system/functions?usage=1&x=y").status_code == 200


def test_keys_come_as_a_password_and_what_is_refused_is_text(tmp_path):
    with own_redis(tmp_path) as url, running_gateway(url, auth="required") as gateway:
        key = make_key(gateway.connection, "ops", "read")
        few = make_key(gateway.connection, "few", "invoke:greet")
        gateway.headers = key.headers
        gateway.publish(GREET)
        with httpx.Client(base_url=gateway.url, trust_env=False, timeout=20) as http:
            del http.headers["Accept"]
            login = http.get("/system/functions", auth=("admin", key.text))
            nobody = http.get("/system/functions")
            wrong = http.get("/system/functions", auth=("admin", "pk_wrong"))
            large = http.put("/system/functions", content=b"x" * 100_000)
            lacking = http.get("/system/logs?name=greet", headers=few.headers)
            other = http.get("/system/function/nobody", headers=few.headers)
            own = http.get("/system/function/greet", headers=few.headers)
            health = http.get("/healthz")

            assert [f["name"] for f in decode(login.text, go_decoding.STATUSES)] == ["greet"]
            assert [a.status_code for a in (nobody, wrong, large)] == [401, 401, 401]
            assert [a.status_code for a in (lacking, other)] == [403, 403]
            assert [a.status_code for a in (own, health)] == [200, 200]
            for refusal in (nobody, wrong, large, lacking, other):
                assert refusal.headers["content-type"] == "text/plain; charset=utf-8"
                assert "realm" not in refusal.headers.get("www-authenticate", "")

            with http.stream(
                "GET", "/system/logs?name=greet&follow=true", headers=key.headers
            ) as answer:
                lines = answer.iter_lines()
                gateway.connection.run(revoke_key(key.id))
                assert list(lines) == []
