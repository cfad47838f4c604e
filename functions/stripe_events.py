"""Receive Stripe's events and say in one line what has to be done.

Set `/functions/stripe_events` as the URL of a webhook endpoint, and give its signing secret to the
gateway as PENSTOCK_SECRET_STRIPE. The gateway accepts only what Stripe signed, and an event that
Stripe sends again runs once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penstock import Reject, Request, function

# Amounts are in the smallest unit of their currency; these have no smaller one.
WHOLE = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf"}
WHOLE |= {"xof", "xpf"}

Thing = Mapping[str, Any]


@function(timeout="10s", retries=3, verify="stripe:STRIPE")
def stripe_events(request: Request) -> dict[str, Any]:
    """Summarize an event of Stripe.

    Returns:
        The id and type of the event, whether it is one that matters here, and what happened.
    """
    try:
        event = request.json()
        event_id, kind, thing = event["id"], event["type"], dict(event["data"]["object"])
    except (ValueError, KeyError, TypeError) as error:
        raise Reject("the body is not an event of Stripe") from error
    describe = DESCRIBE.get(kind)
    summary = f"ignored {kind}" if describe is None else describe(thing)
    return {"id": event_id, "type": kind, "handled": describe is not None, "summary": summary}


def _amount(thing: Thing, member: str) -> str:
    currency = str(thing.get("currency") or "")
    amount = thing.get(member) or 0
    shown = f"{amount}" if currency in WHOLE else f"{amount / 100:.2f}"
    return f"{shown} {currency.upper()}".strip()


def _paid(session: Thing) -> str:
    details = session.get("customer_details") or {}
    who = details.get("email") or session.get("customer") or "somebody"
    return f"deliver {session.get('id')}: {who} paid {_amount(session, 'amount_total')}"


def _unpaid(invoice: Thing) -> str:
    who = invoice.get("customer_email") or invoice.get("customer")
    return f"remind {who}: {_amount(invoice, 'amount_due')} of {invoice.get('id')} failed"


def _ended(subscription: Thing) -> str:
    return f"close the account of {subscription.get('customer')}: {subscription.get('id')} ended"


DESCRIBE: dict[str, Callable[[Thing], str]] = {
    "checkout.session.completed": _paid,
    "invoice.payment_failed": _unpaid,
    "customer.subscription.deleted": _ended,
}
