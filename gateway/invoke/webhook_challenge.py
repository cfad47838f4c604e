"""The answer to a sender that sends a challenge first, to learn that its secret is known here."""

from __future__ import annotations

from falcon.asgi import Response

from gateway.webhooks.signatures import Delivery


def answer_challenge(resp: Response, delivery: Delivery) -> bool:
    """Send back the challenge of a verified webhook; False if it has none, and is a call."""
    if delivery.challenge is None:
        return False
    resp.content_type = "text/plain; charset=utf-8"
    resp.text = delivery.challenge
    return True
