"""The options of an invocation over HTTP: when, how urgently, how often, once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from runtime.registry.manifest import Manifest
from runtime.sdk.options import Options
from runtime.store.invocation_commands import claim
from tests.e2e.gateway.answers import code_of
from tests.support.gateway_process import error_json
from tests.support.waiting import eventually

CALL = {"name": "Ada"}
PATH = "/functions/greet"


@pytest.fixture(autouse=True)
def nothing_is_left(gateway, http):
    yield
    http.delete("/queues/default/invocations")


def ask(http, body=None, *, path=PATH, headers=None, **params):
    return http.post(path, json=body or CALL, params=params, headers=headers)


def claim_now(gateway):
    call = claim(queue="default", worker="w-1", limit=100, lease_ms=60_000)
    return list(gateway.connection.run(call).items)


def moment(text):
    return datetime.fromisoformat(text)


def test_a_delayed_call_is_scheduled_and_starts_in_time(gateway, http):
    accepted = ask(http, delay="300ms").json()
    early = claim_now(gateway)
    [claimed] = eventually(lambda: claim_now(gateway))
    gateway.finish(claimed)

    record = http.get(f"/invocations/{claimed.id}").json()
    due = moment(record["scheduled_for"])
    assert accepted["status"] == "scheduled"
    assert early == []
    assert due - moment(record["created_at"]) == timedelta(milliseconds=300)
    assert moment(record["started_at"]) >= due


def test_run_at_waits_for_a_moment_however_far(http):
    far = "2250-01-01T00:00:00+01:00"

    accepted = ask(http, run_at=far).json()
    listed = http.get("/invocations?status=scheduled&function=greet").json()["items"]

    assert (accepted["status"], accepted["scheduled_for"]) == (
        "scheduled",
        "2249-12-31T23:00:00.000Z",
    )
    assert accepted["id"] in {item["id"] for item in listed}


def test_a_moment_that_is_past_is_now(http):
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()

    accepted = ask(http, run_at=past).json()

    assert (accepted["status"], accepted["scheduled_for"]) == ("queued", None)


def test_the_urgent_comes_first_and_keys_take_turns(gateway, http):
    http.delete("/queues/default/invocations")
    a1, a2, b1 = (ask(http, key=key).json()["id"] for key in ("a", "a", "b"))
    urgent = ask(http, key="a", priority=9).json()["id"]

    taken = claim_now(gateway)
    for claimed in taken:
        gateway.finish(claimed)

    assert [claimed.id for claimed in taken] == [urgent, b1, a1, a2]


def test_what_grows_too_old_expires(gateway, http):
    accepted = ask(http, max_age="1ms").json()
    born_at = datetime.fromisoformat(accepted["created_at"])
    eventually(lambda: datetime.now(UTC) - born_at > timedelta(milliseconds=5))

    eventually(lambda: claim_now(gateway) == [] and ended_at(http, accepted["id"]))

    assert http.get(f"/invocations/{accepted['id']}").json()["status"] == "expired"
    assert http.get(f"/invocations/{accepted['id']}/result").json()["code"] == "invocation_expired"


def ended_at(http, invocation_id):
    return http.get(f"/invocations/{invocation_id}").json()["finished_at"]


def test_tags_are_shown_and_found(http):
    accepted = ask(http, tag=["red", "grün"]).json()

    assert accepted["tags"] == ["red", "grün"]
    assert http.get("/invocations", params={"tag": "grün"}).json()["items"][0] == accepted


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("priority=10", ["?priority"]),
        ("delay=5&run_at=2126-11-22T09:30:00Z", ["?delay", "?run_at"]),
        ("&".join(f"tag={n}" for n in range(17)), ["?tag"]),
        ("delay=1&delay=2", ["?delay"]),
        ("dely=5", ["?dely"]),
    ],
)
def test_what_is_wrong_is_named_with_what_it_takes(http, query, pointers):
    for path in (PATH, f"{PATH}/batch"):
        answer = http.post(f"{path}?{query}", json=CALL if path == PATH else [CALL])

        assert code_of(answer) == (422, "parameter_invalid")
        assert [error["pointer"] for error in answer.json()["errors"]] == pointers
        assert all(error["detail"] for error in answer.json()["errors"])


def test_a_function_that_takes_the_request_keeps_its_query(gateway, http):
    http.post("/functions/hook?delay=1h&anything=x", content=b"")

    [claimed] = claim_now(gateway)
    gateway.finish(claimed)

    assert json.loads(claimed.request)["query"] == {"delay": "1h", "anything": "x"}


def test_fifty_requests_with_one_key_make_one_invocation(gateway, http):
    headers = {"Idempotency-Key": '"fifty"'}

    def send(_):
        return httpx.post(gateway.url + PATH, json=CALL, headers=headers, trust_env=False)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, range(50)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    replayed = [a for a in answers if a.headers.get("Idempotency-Replayed") == "true"]
    assert len(replayed) == 49
    [claimed] = claim_now(gateway)
    gateway.finish(claimed)


def test_a_repetition_answers_how_the_first_stands(gateway, http):
    key = {"Idempotency-Key": "k-1"}
    first = ask(http, headers=key)
    [claimed] = claim_now(gateway)
    gateway.finish(claimed, result=b'"hi"')

    again = ask(http, headers=key)
    waited = ask(http, headers={**key, "Prefer": "wait=5"})

    assert (again.status_code, again.json()["status"]) == (202, "succeeded")
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["X-Call-Id"] == first.json()["id"]
    assert (waited.status_code, waited.json()["result"]) == (200, "hi")
    assert waited.headers["Idempotency-Replayed"] == "true"
    assert claim_now(gateway) == []


def test_a_repetition_may_wait_for_the_first(gateway, http):
    key = {"Idempotency-Key": "k-2"}
    ask(http, headers=key)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, http, headers={**key, "Prefer": "wait=10"})
        gateway.finish(gateway.claim(), "failed", error=error_json("exception", "no"))
        answer = waiting.result()

    assert code_of(answer) == (502, "function_failed")


@pytest.mark.parametrize(
    "other",
    [
        {"body": {"name": "Bob"}},
        {"priority": 9},
        {"tag": "x"},
        {"delay": "1s"},
        {"headers": {"X-Callback-Url": "http://127.0.0.1:9/"}},
    ],
)
def test_a_key_is_not_for_another_request(http, other):
    key = {"Idempotency-Key": "k-3"}
    ask(http, headers=key)

    answer = ask(http, **{**other, "headers": {**key, **other.get("headers", {})}})

    assert code_of(answer) == (422, "idempotency_key_reused")


def test_a_key_is_one_functions(gateway, http):
    gateway.publish(Manifest(name="other", version="o", file="o.py"))
    key = {"Idempotency-Key": "k-4"}

    first, second = ask(http, headers=key), ask(http, path="/functions/other", headers=key)

    assert first.json()["id"] != second.json()["id"]
    assert "Idempotency-Replayed" not in second.headers


def test_a_retry_may_be_repeated_too(gateway, http):
    old = ask(http).json()["id"]
    gateway.finish(gateway.claim(), "failed", error=error_json("exception", "no"))
    key = {"Idempotency-Key": "again"}

    answers = [http.post(f"/invocations/{old}/retry", headers=key) for _ in range(2)]

    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].headers["Idempotency-Replayed"] == "true"


def test_a_queue_that_is_full_refuses_before_anything_is_written(gateway, http):
    narrow = Manifest(name="narrow2", version="n", file="n.py", options=Options(max_waiting=2))
    gateway.publish(narrow)
    path = "/functions/narrow2"

    taken = [ask(http, path=path).status_code for _ in range(2)]
    full = ask(http, path=path, headers={"Idempotency-Key": "late"})
    gateway.finish(gateway.claim())
    after = ask(http, path=path, headers={"Idempotency-Key": "late"})

    assert taken == [202, 202]
    assert code_of(full) == (429, "queue_full")
    assert int(full.headers["Retry-After"]) >= 1
    assert http.get("/functions/narrow2").json()["stats"]["waiting"] == 2
    assert after.status_code == 202
