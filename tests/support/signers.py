"""Signing webhooks with the senders' own libraries, as each sender does it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import githubkit.webhooks
import stripe
from slack_sdk.signature import SignatureVerifier
from standardwebhooks import Webhook

STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SECRET = "what only the sender and we know"
SHOP = "hmac:SHOP header=X-Shop-Signature prefix=v= encoding=base64 id=X-Shop-Event"
BILL = "hmac:BILL header=X-Signature"
Headers = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One kind of sender.

    Attributes:
        verify: The option of the function that receives.
        secret: A secret in the form that the sender gives.
        sign: Returns the headers of a body that was signed at a time, in seconds, with a secret.
        id_header: The header with the sender's id.
        is_timed: Whether an old signature is refused.
    """

    verify: str
    secret: str
    sign: Callable[[bytes, int, str], Headers]
    id_header: str = ""
    is_timed: bool = True


def sign_standard(body: bytes, at_s: int, secret: str, sender_id: str = "msg_1") -> Headers:
    moment = datetime.fromtimestamp(at_s, tz=UTC)
    signature = Webhook(secret).sign(sender_id, moment, body.decode())
    return {
        "webhook-id": sender_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": signature,
    }


def sign_github(body: bytes, _at_s: int, secret: str, sender_id: str = "72d3162e") -> Headers:
    signature = githubkit.webhooks.sign(secret, body)
    return {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": sender_id}


def sign_stripe(body: bytes, at_s: int, secret: str) -> Headers:
    signed = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at_s)
    return {"Stripe-Signature": signed}


def sign_slack(body: bytes, at_s: int, secret: str) -> Headers:
    signed = SignatureVerifier(secret).generate_signature(timestamp=str(at_s), body=body)
    assert signed is not None
    return {"X-Slack-Signature": signed, "X-Slack-Request-Timestamp": str(at_s)}


def sign_shop(body: bytes, _at_s: int, secret: str) -> Headers:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"X-Shop-Signature": f"v={base64.b64encode(digest).decode()}", "X-Shop-Event": "e-1"}


def sign_bill(body: bytes, _at_s: int, secret: str) -> Headers:
    return {"X-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().upper()}


SENDERS = {
    "standard": Sender(
        verify="standard:PAY", secret=STANDARD_SECRET, sign=sign_standard, id_header="webhook-id"
    ),
    "github": Sender(
        verify="github:REPO",
        secret=SECRET,
        sign=sign_github,
        id_header="X-GitHub-Delivery",
        is_timed=False,
    ),
    "stripe": Sender(verify="stripe:MONEY", secret=f"whsec_{SECRET}", sign=sign_stripe),
    "slack": Sender(verify="slack:APP", secret=SECRET, sign=sign_slack),
    "shop": Sender(
        verify=SHOP, secret=SECRET, sign=sign_shop, id_header="X-Shop-Event", is_timed=False
    ),
    "bill": Sender(verify=BILL, secret=SECRET, sign=sign_bill, is_timed=False),
}
