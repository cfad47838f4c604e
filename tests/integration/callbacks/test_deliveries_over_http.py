"""/deliveries as callers see it: list, read, send again, and every refusal."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from falcon.testing import ASGIConductor, Result

from gateway.app import create
from runtime.settings import Settings
from tests.integration.callbacks.conftest import Sending
from tests.support.receiver import Receiver


@pytest.fixture
def ask(redis_url: str):
    """Ask a gateway application, one request at a time."""

    def ask(method: str, path: str) -> Result:
        async def converse() -> Result:
            app = create(Settings(redis=redis_url, host="127.0.0.1"))
            async with ASGIConductor(app) as conductor:
                await conductor.simulate_get("/deliveries/none")  # it is connected from here on
                path_only, _, query = path.partition("?")
                return await conductor.simulate_request(method, path_only, query_string=query)

        return asyncio.run(converse())

    return ask


def ids_of_page(result: Result) -> list[str]:
    return [item["id"] for item in result.json["items"]]


def test_a_delivery_is_shown_with_every_attempt(sending: Sending, receiver: Receiver, ask):
    delivery_id = sending.finish(receiver.url("/status/410"))
    with sending.deliverer():
        delivery = sending.until(delivery_id, "stopped")

    shown = ask("GET", f"/deliveries/{delivery_id}")

    assert shown.status_code == 200
    document = shown.json
    [attempt] = document.pop("attempts")
    assert document == {
        "id": delivery_id,
        "invocation": delivery.cause,
        "batch": None,
        "url": receiver.url("/status/410"),
        "status": "stopped",
        "next_at": None,
        "webhook_id": delivery_id,
        "links": {
            "self": f"/deliveries/{delivery_id}",
            "invocation": f"/invocations/{delivery.cause}",
        },
    }
    assert attempt["at"].endswith("Z")
    assert (attempt["status_code"], attempt["error"]) == (410, "answered 410")


def test_a_delivery_of_a_batch_leads_to_the_batch(sending: Sending, receiver: Receiver, ask):
    batch = sending.finish_batch(receiver.url("/ok"))

    shown = ask("GET", f"/deliveries/dlv_{batch}").json
    [listed] = ask("GET", "/deliveries").json["items"]

    assert shown == listed
    assert (shown["invocation"], shown["batch"]) == (None, batch)
    assert shown["links"] == {"self": f"/deliveries/dlv_{batch}", "batch": f"/batches/{batch}"}


def test_a_pending_delivery_says_when_it_is_next_tried(sending: Sending, receiver: Receiver, ask):
    delivery_id = sending.finish(receiver.url("/status/500"))
    with sending.deliverer(delays_ms=(3_600_000,)):
        sending.until_attempts(delivery_id, 1)

    shown = ask("GET", f"/deliveries/{delivery_id}").json

    assert shown["status"] == "pending"
    assert shown["next_at"] > shown["attempts"][0]["at"]


def test_a_list_goes_on_by_its_cursor_and_link(sending: Sending, receiver: Receiver, ask):
    made = sending.finish_many([receiver.url("/ok")] * 5)

    found: list[str] = []
    target: str | None = "/deliveries?status=pending&limit=2"
    while target:
        page = ask("GET", target)
        found += ids_of_page(page)
        link = page.headers.get("link", "")
        assert bool(link) == (page.json["next"] is not None)
        target = link.partition(">")[0].removeprefix("<") or None

    assert found == sorted(made, reverse=True)


def test_a_status_nobody_has_gives_an_empty_list(sending: Sending, receiver: Receiver, ask):
    sending.finish(receiver.url("/ok"))

    assert ask("GET", "/deliveries?status=failed").json == {"items": [], "next": None}


@pytest.mark.parametrize(
    "query", ["status=sent", "limit=0", "limit=201", "limit=x", "limit=²", "cursor=!", "page=2"]
)
def test_a_wrong_query_is_refused(ask, query: str):
    refused = ask("GET", f"/deliveries?{query}")

    assert refused.status_code == 422
    assert refused.json["code"] == "parameter_invalid"


def test_redelivery_is_accepted_and_done(sending: Sending, receiver: Receiver, ask):
    delivery_id = sending.finish(receiver.url("/ok"))
    with sending.deliverer():
        sending.until(delivery_id, "delivered")

        answer = ask("POST", f"/deliveries/{delivery_id}/redeliver")

        delivery = sending.until_attempts(delivery_id, 2)
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/deliveries/{delivery_id}"
    assert len(delivery.attempts) == len(receiver.requests) == 2


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/deliveries/dlv_x"), ("POST", "/deliveries/dlv_x/redeliver")]
)
def test_an_unknown_delivery_is_404(ask, method: str, path: str):
    answer = ask(method, path)

    assert answer.status_code == 404
    assert answer.json["code"] == "delivery_not_found"


def test_redelivery_without_the_invocation_is_410(sending: Sending, receiver: Receiver, ask):
    delivery_id = sending.finish(receiver.url("/ok"))
    before = sending.read(delivery_id)
    record: Any = sending.life.key("record", before.cause)
    sending.life.command("DEL", record)

    answer = ask("POST", f"/deliveries/{delivery_id}/redeliver")

    assert answer.status_code == 410
    assert answer.json["code"] == "invocation_gone"
    assert sending.read(delivery_id) == before
