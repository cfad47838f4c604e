"""What functions take and give, as callers see it: what fits is taken, what does not is told."""

from __future__ import annotations

import base64
import json

import pytest

from tests.support.receiver import receiving
from tests.support.system import System
from tests.support.waiting import eventually

MASK = "**********"


@pytest.fixture(autouse=True, scope="module")
def _published(system: System) -> None:
    eventually(lambda: system.http.get("/functions/take_narrow").status_code == 200)


def send_call(system: System, function: str, body: str, *, wait_s: int = 20):
    headers = {"Content-Type": "application/json", "Prefer": f"wait={wait_s}"}
    return system.http.post(f"/functions/{function}", content=body, headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        '{"name": "José"}',
        '{"code": "EUR"}',
        '{"counts": {"1": 5}}',
        '{"event": {"user": {"id": 5}}}',
        '{"pie": {"fruit": "apple", "minutes": 3}}',
    ],
)
def test_what_fits_the_types_is_taken_whatever_the_schema_says(system: System, body: str):
    answer = send_call(system, "take_wide", body)

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{"price": "-5"}', "/price"),
        ('{"at": "2024-01-01T00:00:00"}', "/at"),
        ('{"born": "2999-01-01"}', "/born"),
        ('{"pause": "PT2H"}', "/pause"),
        ('{"name": "   "}', "/name"),
        ('{"weights": {"x": "a"}}', "/weights/x"),
    ],
)
def test_what_only_the_types_can_refuse_is_refused_alike(system: System, body: str, pointer: str):
    answer = send_call(system, "take_narrow", body)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "arguments_invalid")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    invocation = system.invocation(problem["invocation"]["id"])
    assert (invocation["status"], invocation["attempt"]) == ("failed", 1)
    assert invocation["error"]["type"] == "arguments_invalid"
    assert invocation["error"]["errors"] == problem["errors"]
    result = system.http.get(f"/invocations/{invocation['id']}/result")
    assert (result.status_code, result.json()["errors"]) == (422, problem["errors"])


def test_a_function_in_a_thread_refuses_alike(system: System):
    answer = send_call(system, "take_narrow_in_thread", '{"price": 0}')

    assert (answer.status_code, answer.json()["code"]) == (422, "arguments_invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/price"]
    assert answer.json()["invocation"]["attempt"] == 1


def test_members_of_a_batch_are_refused_alike(system: System):
    batch = system.http.post(
        "/functions/take_narrow/batch", json=[{"price": "2"}, {"price": "-2"}]
    ).json()

    done = eventually(lambda: system.finished_batch(batch["id"]))

    assert (done["counts"]["succeeded"], done["counts"]["failed"]) == (1, 1)
    members = system.http.get(f"/batches/{batch['id']}?limit=20").json()["items"]
    [failed] = [member for member in members if member["status"] == "failed"]
    assert [error["pointer"] for error in failed["error"]["errors"]] == ["/price"]


def test_who_waits_for_a_rejection_is_told_why(system: System):
    answer = send_call(system, "refuse_politely", "{}")

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "rejected")
    assert "not with me" in problem["detail"]
    assert problem["invocation"]["error"]["type"] == "rejected"


@pytest.mark.parametrize(("size", "status"), [(9, 422), (10, 200), (800, 200), (1000, 200)])
@pytest.mark.parametrize("way", ["json", "raw", "form"])
def test_limits_on_bytes_count_bytes_on_every_way(system: System, way: str, size: int, status: int):
    data = bytes(range(256)) * 4
    data = data[:size]
    headers = {"Prefer": "wait=20"}
    path = "/functions/count_bytes"

    if way == "json":
        text = base64.b64encode(data).decode()
        answer = system.http.post(path, json={"data": text}, headers=headers)
    elif way == "raw":
        headers["Content-Type"] = "application/octet-stream"
        answer = system.http.post(path, content=data, headers=headers)
    else:
        answer = system.http.post(path, files={"data": data}, headers=headers)

    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.json()["result"] == size
    else:
        assert "invocation" not in answer.json()  # refused before anything was queued
        assert answer.json()["errors"] == [
            {"pointer": "/data", "detail": "the value has fewer than 10 bytes"}
        ]


def test_more_bytes_than_the_limit_are_refused_before_anything_is_queued(system: System):
    answer = system.http.post(
        "/functions/count_bytes",
        content=bytes(1001),
        headers={"Content-Type": "application/octet-stream"},
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"] == "the value has more than 1000 bytes"


@pytest.mark.parametrize(
    "digits", ["1.234567890123456789", "0.10", "-1.50e3", "123456789012345678901.5", "7"]
)
def test_numbers_keep_their_digits_on_the_way_into_a_decimal(system: System, digits: str):
    answer = send_call(
        system, "keep_digits", f'{{"amount": {digits}, "more": [{digits}, "{digits}"]}}'
    )

    first, *others = answer.json()["result"]
    assert others == [first, first]


def test_secrets_are_masked_wherever_a_record_is_shown(system: System):
    with receiving() as receiver:
        body = json.dumps(
            {
                "password": "hunter2",
                "keys": ["hunter3", "hunter4"],
                "login": {"user": "ada", "password": "hunter5"},
            }
        )
        answer = system.http.post(
            "/functions/hold_secrets",
            content=body,
            headers={
                "Content-Type": "application/json",
                "Prefer": "wait=20",
                "X-Callback-Url": receiver.url("/ok/secrets"),
            },
        )
        [delivered] = eventually(lambda: receiver.at("/ok/secrets") or None)
    invocation_id = answer.json()["id"]
    shown = {
        "password": MASK,
        "keys": [MASK, MASK],
        "login": {"user": "ada", "password": MASK},
    }

    retried = system.http.post(f"/invocations/{invocation_id}/retry", headers={"Prefer": "wait=20"})

    assert answer.json()["result"] == ["7h", "7h", "7h", "7h"]  # the function has the real ones
    assert answer.json()["arguments"] == shown
    assert system.invocation(invocation_id)["arguments"] == shown
    listed = system.http.get("/invocations?function=hold_secrets").json()["items"]
    assert listed
    assert all(item["arguments"] == shown for item in listed)
    assert (retried.json()["arguments"], retried.json()["result"]) == (
        shown,
        ["7h", "7h", "7h", "7h"],
    )
    events = system.http.get(f"/invocations/{invocation_id}/events").text
    for text in (events, delivered.body.decode(), system.read_log()):
        assert "hunter" not in text


def test_secrets_are_masked_at_the_birth_and_where_a_function_fails(system: System):
    accepted = send_call(system, "hold_secrets_and_fail", '{"password": "hunter2"}', wait_s=0)
    failed = send_call(system, "hold_secrets_and_fail", '{"password": "hunter2"}')

    assert accepted.status_code == 202
    assert accepted.json()["arguments"] == {"password": MASK}
    assert failed.status_code == 502
    assert failed.json()["invocation"]["arguments"] == {"password": MASK}
    assert "hunter" not in failed.text


def test_secrets_of_batches_and_schedules_are_masked(system: System):
    batch = system.http.post(
        "/functions/hold_secrets/batch", json=[{"password": "hunter2"}, {"password": "hunter3"}]
    ).json()
    schedule = system.http.post(
        "/schedules",
        json={
            "function": "hold_secrets",
            "cron": "0 0 1 1 *",
            "arguments": {"password": "hunter2"},
        },
    ).json()
    fired = system.http.post(f"/schedules/{schedule['id']}/fire").json()
    changed = system.http.patch(
        f"/schedules/{schedule['id']}", json={"arguments": {"password": "hunter6"}}
    ).json()
    ended = system.finished(fired["id"])
    members = system.http.get(f"/batches/{batch['id']}?limit=20").json()["items"]
    schedules = system.http.get("/schedules?limit=100").text
    system.http.delete(f"/schedules/{schedule['id']}")

    for shown in (schedule, fired, changed, ended, *members):
        assert shown["arguments"] == {"password": MASK}
    assert ended["result"] == ["7h"]
    assert "hunter" not in schedules


def test_bytes_come_out_in_one_way_at_every_depth(system: System):
    answer = send_call(system, "return_docs", "{}")

    doc = {"data": "//77"}
    assert answer.json()["result"] == {"bare": "//77", "doc": doc, "docs": [doc]}


def test_a_dict_under_a_model_becomes_the_model(system: System):
    answer = send_call(system, "return_dict_as_model", "{}")

    assert answer.json()["result"] == {"user": "ada", "password": MASK}


@pytest.mark.parametrize(
    ("function", "reported"),
    [
        ("return_text_as_int", "not of the declared return type"),
        ("return_huge_number", "more than 4300 digits"),
        ("return_one_key_twice", "the same key twice"),
    ],
)
def test_a_result_that_is_none_is_told_by_what_is_wrong(
    system: System, function: str, reported: str
):
    answer = send_call(system, function, "{}")

    error = answer.json()["invocation"]["error"]
    assert error["type"] == "result_not_serializable"
    assert reported in error["message"]
    assert system.http.get("/invocations?limit=100").json()["items"]


def test_an_event_that_is_no_json_is_the_functions_failure(system: System):
    error = send_call(system, "emit_one_key_twice", "{}").json()["invocation"]["error"]

    assert (error["type"], error["exception_type"]) == ("exception", "ValueError")
    assert "the same key twice" in error["message"]
