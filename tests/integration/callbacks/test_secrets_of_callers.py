"""Whoever has a callback secret of his own gets his deliveries signed with it."""

from __future__ import annotations

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from runtime.store import delivery_commands
from tests.integration.callbacks.conftest import SECRET, Sending
from tests.support.api_keys import make_key
from tests.support.receiver import Receiver
from tests.support.waiting import eventually


def test_a_callers_deliveries_are_signed_with_his_secrets_and_no_other(
    sending: Sending, receiver: Receiver
):
    old = make_key(sending.connection, "shop", "read")
    new = make_key(sending.connection, "shop", "read", wants_secret=True)
    id_ = sending.life.submit("shrink", callback=receiver.url("/ok"), caller="shop")
    sending.life.settle(sending.life.claim_one())

    with sending.deliverer():
        eventually(lambda: receiver.requests)

    [request] = receiver.requests
    assert request.headers["webhook-id"] == f"dlv_{id_}"
    for made in (old, new):
        assert made.callback_secret
        Webhook(made.callback_secret).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body, request.headers)


def test_a_claimed_delivery_does_not_show_the_secrets(sending: Sending):
    made = make_key(sending.connection, "shop", "read")
    sending.life.submit("shrink", callback="http://127.0.0.1:1/", caller="shop")
    sending.life.settle(sending.life.claim_one())

    claim = delivery_commands.claim(free=1, limit=1, lease_ms=1000, most_steps=5)
    [claimed] = sending.connection.run(claim).items

    assert claimed.secrets == (made.callback_secret,)
    assert "whsec_" not in repr(claimed)


def test_a_name_without_a_secret_has_those_of_the_system(sending: Sending, receiver: Receiver):
    sending.life.submit("shrink", callback=receiver.url("/ok"), caller="nobody")
    sending.life.settle(sending.life.claim_one())

    with sending.deliverer():
        eventually(lambda: receiver.requests)

    [request] = receiver.requests
    Webhook(SECRET).verify(request.body, request.headers)
