"""Sending batches to a system that refuses and delays."""

from __future__ import annotations

import json

import pytest

from gateway.cli.call.batches import send_batches
from gateway.cli.call.rows import Row
from gateway.cli.client.api_client import System
from gateway.cli.errors import CommandError
from penstock.client.batch_parts import key_of_part
from tests.support.receiver import Receiver, status

PATH = "/functions/shout/batch"
CLOSE = "Connection: close"
BATCHES = [
    [Row(body=b'{"a":1}', place="line 1"), Row(body=b'{"a":2}', place="line 3")],
    [Row(body=b'{"a":3}', place="line 4")],
]


def send_rows(receiver: Receiver, **headers: str) -> list[dict[str, object]]:
    system = System(receiver.url(""))
    return list(send_batches(system, "shout", BATCHES, query=(), headers=headers))


def accepted_batch(batch_id: str) -> bytes:
    return json.dumps({"id": batch_id}).encode()


def test_each_batch_is_sent_as_ndjson_with_a_key_of_its_own(receiver: Receiver):
    receiver.behave(
        PATH,
        status(202, CLOSE, body=accepted_batch("b1")),
        status(202, CLOSE, body=accepted_batch("b2")),
    )

    found = send_rows(receiver, **{"Idempotency-Key": "k"})

    first, second = receiver.at(PATH)
    assert [batch["id"] for batch in found] == ["b1", "b2"]
    assert first.body == b'{"a":1}\n{"a":2}'
    assert first.headers["content-type"] == "application/x-ndjson"
    keys = [first.headers["idempotency-key"], second.headers["idempotency-key"]]
    assert keys == ["k", key_of_part("k", 2)]


def test_rows_that_are_refused_are_named_by_their_place(receiver: Receiver):
    problem = {
        "code": "arguments_invalid",
        "errors": [
            {"pointer": "/1/a", "detail": "too large"},
            {"pointer": "/0", "detail": "not an object"},
        ],
    }
    receiver.behave(PATH, status(422, CLOSE, body=json.dumps(problem).encode()))

    with pytest.raises(CommandError) as caught:
        send_rows(receiver)

    assert "\n  line 3/a: too large\n  line 1: not an object" in str(caught.value)


def test_another_problem_is_told_as_it_is(receiver: Receiver):
    problem = {"code": "function_not_found", "detail": "No function shout."}
    receiver.behave(PATH, status(404, CLOSE, body=json.dumps(problem).encode()))

    with pytest.raises(CommandError, match=r"No function shout\. \(function_not_found\)"):
        send_rows(receiver)


def test_a_later_batch_waits_where_the_queue_is_full(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    paused: list[float] = []
    monkeypatch.setattr("gateway.cli.call.batches.time.sleep", paused.append)
    receiver.behave(
        PATH,
        status(202, CLOSE, body=accepted_batch("b1")),
        status(429, CLOSE, "Retry-After: 3"),
        status(202, CLOSE, body=accepted_batch("b2")),
    )

    found = send_rows(receiver)

    assert [batch["id"] for batch in found] == ["b1", "b2"]
    assert paused == [3]


def test_the_first_batch_does_not_wait(receiver: Receiver):
    problem = {"code": "queue_full", "detail": "Full."}
    receiver.behave(PATH, status(429, CLOSE, "Retry-After: 60", body=json.dumps(problem).encode()))

    with pytest.raises(CommandError, match="queue_full"):
        send_rows(receiver)
