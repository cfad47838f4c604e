"""Events of Stripe become one line of what has to be done; the rest is ignored by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.stripe_events import stripe_events
from penstock import Reject, Request


def event(kind: str, **thing: Any) -> Request:
    content = {"id": "evt_1", "object": "event", "type": kind, "data": {"object": thing}}
    return Request(method="POST", path="/stripe_events", body=json.dumps(content).encode())


EVENTS = [
    (
        "checkout.session.completed",
        {
            "id": "cs_1",
            "amount_total": 2050,
            "currency": "eur",
            "customer_details": {"email": "ada@example.org"},
        },
        "deliver cs_1: ada@example.org paid 20.50 EUR",
    ),
    (
        "checkout.session.completed",
        {"id": "cs_2", "amount_total": 1500, "currency": "jpy", "customer_details": None},
        "deliver cs_2: somebody paid 1500 JPY",
    ),
    (
        "invoice.payment_failed",
        {"id": "in_1", "amount_due": 99, "currency": "usd", "customer": "cus_1"},
        "remind cus_1: 0.99 USD of in_1 failed",
    ),
    (
        "customer.subscription.deleted",
        {"id": "sub_1", "customer": "cus_1"},
        "close the account of cus_1: sub_1 ended",
    ),
]


@pytest.mark.parametrize(("kind", "thing", "summary"), EVENTS)
def test_an_event_that_matters_says_what_to_do(kind: str, thing: dict, summary: str) -> None:
    told = stripe_events(event(kind, **thing))

    assert told == {"id": "evt_1", "type": kind, "handled": True, "summary": summary}


def test_any_other_event_is_ignored_by_name() -> None:
    told = stripe_events(event("price.created", id="price_1"))

    assert (told["handled"], told["summary"]) == (False, "ignored price.created")


@pytest.mark.parametrize("kind", [kind for kind, *_ in EVENTS])
def test_an_event_with_nothing_in_it_is_summarized_too(kind: str) -> None:
    assert stripe_events(event(kind))["handled"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"id": 1, "type": "x", "data": 3}', b"null", b"\xff"]
)
def test_what_is_no_event_is_rejected(body: bytes) -> None:
    with pytest.raises(Reject, match="event of Stripe"):
        stripe_events(Request(body=body))
