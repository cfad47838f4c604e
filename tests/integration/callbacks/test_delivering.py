"""A callback from the end of its invocation to its receiver, and every way that goes wrong."""

from __future__ import annotations

import base64
import json
import time

import pytest
from standardwebhooks.webhooks import Webhook

from runtime.callbacks.signing import parse_secret
from runtime.store import delivery_commands
from tests.integration.callbacks.conftest import SECRET, Sending
from tests.support.receiver import Receiver, hang, status
from tests.support.waiting import allowed, eventually


def errors(delivery):
    return [json.loads(entry)["error"] for entry in delivery.attempts]


def status_codes(delivery):
    return [json.loads(entry)["status_code"] for entry in delivery.attempts]


def test_the_receiver_gets_a_signed_invocation(sending: Sending, receiver: Receiver):
    delivery_id = sending.finish(receiver.url("/ok?token=abc"))

    with sending.deliverer():
        delivery = sending.until(delivery_id, "delivered")

    [request] = receiver.requests
    body = Webhook(SECRET).verify(request.body, request.headers)
    assert request.path == "/ok?token=abc"
    assert body["type"] == "invocation.succeeded"
    assert body["timestamp"] == body["data"]["finished_at"]
    assert body["data"]["id"] == delivery.cause
    assert body["data"]["result"] == {"n": 1}
    assert request.headers["webhook-id"] == delivery_id
    assert request.headers["x-call-id"] == delivery.cause
    assert request.headers["x-function-name"] == "shrink"
    assert request.headers["x-function-status"] == "succeeded"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    [attempt] = [json.loads(entry) for entry in delivery.attempts]
    assert attempt["status_code"] == 200
    assert attempt["error"] is None
    assert attempt["duration_ms"] < allowed(1) * 1000
    assert abs(attempt["at"] - time.time() * 1000) < 10_000


def test_both_secrets_verify_while_rotating(sending: Sending, receiver: Receiver):
    other = "whsec_" + base64.b64encode(b"o" * 24).decode()
    delivery_id = sending.finish(receiver.url("/ok"))

    with sending.deliverer(secrets=(parse_secret(SECRET), parse_secret(other))):
        sending.until(delivery_id, "delivered")

    [request] = receiver.requests
    assert Webhook(SECRET).verify(request.body, request.headers)
    assert Webhook(other).verify(request.body, request.headers)


def test_a_long_result_is_left_out_and_linked(sending: Sending, receiver: Receiver):
    delivery_id = sending.finish(receiver.url("/ok"), result=b'"' + b"x" * 20_000 + b'"')

    with sending.deliverer(public_url="https://gate.example/"):
        delivery = sending.until(delivery_id, "delivered")

    data = json.loads(receiver.requests[0].body)["data"]
    assert data["result"] is None
    assert data["result_omitted"] is True
    result = f"https://gate.example/invocations/{delivery.cause}/result"
    assert data["links"]["result"] == result


def test_it_is_tried_again_with_the_same_id_and_body(sending: Sending, receiver: Receiver):
    receiver.behave("/ok", status(503), status(500), status(204, body=b""))
    delivery_id = sending.finish(receiver.url("/ok"))

    with sending.deliverer():
        delivery = sending.until(delivery_id, "delivered")

    assert status_codes(delivery) == [503, 500, 204]
    assert errors(delivery) == ["answered 503", "answered 500", None]
    assert {request.headers["webhook-id"] for request in receiver.requests} == {delivery_id}
    for request in receiver.requests:
        Webhook(SECRET).verify(request.body, request.headers)
    assert len({request.body for request in receiver.requests}) == 1
    assert [request.headers["webhook-attempt"] for request in receiver.requests] == ["1", "2", "3"]


def test_the_body_stays_the_same_text_whatever_becomes_of_the_call(
    sending: Sending, receiver: Receiver
):
    receiver.behave("/ok", status(410), status(503), status(204, body=b""))
    delivery_id = sending.finish(receiver.url("/ok"), status="failed")
    with sending.deliverer():
        stopped = sending.until(delivery_id, "stopped")
    again = sending.life.ask("shrink", retry_of=stopped.cause, is_only_retry=True)

    assert sending.connection.run(delivery_commands.redeliver(delivery_id)) == "OK"
    with sending.deliverer():
        sending.until(delivery_id, "delivered")

    assert sending.life.read(stopped.cause).retried_by == again.id
    assert len({request.body for request in receiver.requests}) == 1
    assert [request.headers["webhook-attempt"] for request in receiver.requests] == ["1", "2", "3"]


def test_the_body_of_a_batch_stays_the_same_text(sending: Sending, receiver: Receiver):
    receiver.behave("/ok", status(500), status(500), status(204, body=b""))
    batch = sending.finish_batch(receiver.url("/ok"))
    with sending.deliverer():
        delivery = sending.until(f"dlv_{batch}", "delivered")

    assert (delivery.cause, delivery.is_of_batch) == (batch, True)
    assert len({request.body for request in receiver.requests}) == 1
    assert [request.headers["webhook-attempt"] for request in receiver.requests] == ["1", "2", "3"]


def test_retry_after_is_honoured(sending: Sending, receiver: Receiver):
    delivery_id = sending.finish(receiver.url("/busy/100"))

    with sending.deliverer():
        delivery = sending.until_attempts(delivery_id, 1)

    at_ms = json.loads(delivery.attempts[0])["at"]
    assert status_codes(delivery) == [429]
    assert delivery.next_at_ms is not None
    assert 100_000 <= delivery.next_at_ms - at_ms < 102_000


def test_a_redirect_is_a_failure_and_not_followed(sending: Sending, receiver: Receiver):
    delivery_id = sending.finish(receiver.url("/redirect"))

    with sending.deliverer():
        delivery = sending.until(delivery_id, "failed")

    assert set(status_codes(delivery)) == {302}
    assert errors(delivery)[0] == "answered 302; redirects are not followed"
    assert receiver.at("/ok/elsewhere") == []


@pytest.mark.parametrize("mode", ["hang", "drip"])
def test_an_attempt_is_cut_at_its_deadline(sending: Sending, receiver: Receiver, mode: str):
    delivery_id = sending.finish(receiver.url(f"/{mode}"))

    with sending.deliverer(total_s=0.4, delays_ms=()):
        delivery = sending.until(delivery_id, "failed")

    [attempt] = [json.loads(entry) for entry in delivery.attempts]
    assert attempt["error"] == "no answer within 0.4 s"
    assert 400 <= attempt["duration_ms"] < allowed(0.7) * 1000


@pytest.mark.parametrize("path", ["/reset", "/headers"])
def test_a_reset_and_headers_without_end_are_failures(
    sending: Sending, receiver: Receiver, path: str
):
    delivery_id = sending.finish(receiver.url(path))

    with sending.deliverer(delays_ms=()):
        delivery = sending.until(delivery_id, "failed")

    assert errors(delivery) == ["the connection ended before a valid answer"]


@pytest.mark.parametrize("mode", ["endless", "bomb"])
def test_little_of_an_answer_is_read_and_none_unpacked(
    sending: Sending, receiver: Receiver, mode: str
):
    delivery_id = sending.finish(receiver.url(f"/{mode}"))

    with sending.deliverer():
        delivery = sending.until(delivery_id, "delivered")

    assert json.loads(delivery.attempts[0])["duration_ms"] < allowed(1) * 1000
    eventually(lambda: receiver.open_now == 0)


def test_nobody_listening_and_a_forbidden_address_look_the_same(
    sending: Sending, receiver: Receiver
):
    refused = sending.finish("http://127.0.0.1:9/")
    forbidden = sending.finish("http://10.0.0.1/")

    with sending.deliverer(delays_ms=()):
        first, second = sending.until(refused, "failed"), sending.until(forbidden, "failed")

    assert errors(first) == errors(second) == ["the receiver could not be reached"]


def test_an_ended_delivery_can_be_sent_again(sending: Sending, receiver: Receiver):
    receiver.behave("/ok", status(500), status(500), status(500), status(500), status(200))
    delivery_id = sending.finish(receiver.url("/ok"))

    with sending.deliverer():
        failed = sending.until(delivery_id, "failed")
        assert sending.connection.run(delivery_commands.redeliver(delivery_id)) == "OK"
        delivery = sending.until(delivery_id, "delivered")

    assert failed.next_at_ms is None
    assert status_codes(delivery) == [500] * 4 + [200]
    assert {request.headers["webhook-id"] for request in receiver.requests} == {delivery_id}


def test_a_pending_delivery_can_be_sent_now(sending: Sending, receiver: Receiver):
    receiver.behave("/ok", status(500), status(200))
    delivery_id = sending.finish(receiver.url("/ok"))

    with sending.deliverer(delays_ms=(3_600_000,)):
        sending.until_attempts(delivery_id, 1)
        assert sending.connection.run(delivery_commands.redeliver(delivery_id)) == "OK"
        delivery = sending.until(delivery_id, "delivered", within_s=1)

    assert status_codes(delivery) == [500, 200]


def test_a_stopping_sender_leaves_its_deliveries_to_the_next(sending: Sending, receiver: Receiver):
    receiver.behave("/ok", hang, status(200))
    delivery_id = sending.finish(receiver.url("/ok"))
    with sending.deliverer(total_s=30, grace_s=0.1):
        eventually(lambda: receiver.requests)

    with sending.deliverer():
        delivery = sending.until(delivery_id, "delivered", within_s=2)

    assert errors(delivery) == ["the sender stopped", None]
