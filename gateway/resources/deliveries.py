"""/deliveries: what became of callbacks, every attempt, and sending one again."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import msgspec
from falcon.asgi import Request, Response

from gateway.preferences import read_query, refuse_parameters
from gateway.problems import ProblemError
from runtime.errors import ArgumentFault
from runtime.invocations.view import moment
from runtime.store import delivery_calls
from runtime.store.delivery_calls import STATUSES, Delivery, ListedDelivery
from runtime.store.multiplexer import Multiplexer

USUAL_PAGE = 50
LONGEST_PAGE = 200
_QUERY = ("status", "limit", "cursor")


class DeliveryList:
    """GET /deliveries, newest first."""

    def __init__(self, store: Multiplexer) -> None:
        self._store = store

    async def on_get(self, req: Request, resp: Response) -> None:
        """List a page of deliveries."""
        query = read_query(req.query_string, _QUERY)
        statuses, limit, before = _read_page(query)
        listed = await self._store.run(
            delivery_calls.list_page(statuses=statuses, limit=limit + 1, before=before)
        )
        page = listed[:limit]
        cursor = _write_cursor(page[-1]) if len(listed) > limit else None
        if cursor is not None:
            asked = f"status={query['status']}&" if "status" in query else ""
            target = f"/deliveries?{asked}limit={limit}&cursor={cursor}"
            resp.append_header("Link", f'<{target}>; rel="next"')
        resp.content_type = "application/json"
        resp.data = msgspec.json.encode(
            {"items": [delivery_view(entry.delivery) for entry in page], "next": cursor}
        )


class OneDelivery:
    """GET /deliveries/{id}."""

    def __init__(self, store: Multiplexer) -> None:
        self._store = store

    async def on_get(self, req: Request, resp: Response, delivery_id: str) -> None:  # noqa: ARG002
        """Show a delivery with every attempt."""
        await _show(self._store, resp, delivery_id)


class Redelivery:
    """POST /deliveries/{id}/redeliver."""

    def __init__(self, store: Multiplexer) -> None:
        self._store = store

    async def on_post(self, req: Request, resp: Response, delivery_id: str) -> None:  # noqa: ARG002
        """Have it sent at once, under the same webhook-id."""
        answer = await self._store.run(delivery_calls.redeliver(delivery_id))
        if answer == "MISSING":
            raise _unknown(delivery_id)
        if answer == "GONE":
            raise ProblemError(
                "invocation_gone", "Its invocation is no longer kept: there is nothing to send."
            )
        await _show(self._store, resp, delivery_id)
        resp.status = 202
        resp.set_header("Location", f"/deliveries/{delivery_id}")


def delivery_view(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as callers see it."""
    attempts = [msgspec.json.decode(entry) for entry in delivery.attempts]
    return {
        "id": delivery.id,
        "invocation": delivery.invocation,
        "url": delivery.url,
        "status": delivery.status,
        "attempts": [{**attempt, "at": moment(attempt["at"])} for attempt in attempts],
        "next_at": moment(delivery.next_at_ms),
        "webhook_id": delivery.id,
    }


async def _show(store: Multiplexer, resp: Response, delivery_id: str) -> None:
    delivery = await store.run(delivery_calls.read(delivery_id))
    if delivery is None:
        raise _unknown(delivery_id)
    resp.content_type = "application/json"
    resp.data = msgspec.json.encode(delivery_view(delivery))


def _unknown(delivery_id: str) -> ProblemError:
    return ProblemError("delivery_not_found", f"No delivery has the id {delivery_id[:64]!r}.")


def _read_page(
    query: Mapping[str, str],
) -> tuple[tuple[str, ...], int, tuple[int, str] | None]:
    faults: list[ArgumentFault] = []
    status = query.get("status")
    if status is not None and status not in STATUSES:
        faults.append(ArgumentFault(pointer="?status", detail=f"one of {', '.join(STATUSES)}"))
    limit = query.get("limit", str(USUAL_PAGE))
    size = int(limit) if limit.isascii() and limit.isdigit() and len(limit) <= 3 else 0  # noqa: PLR2004
    if not 1 <= size <= LONGEST_PAGE:
        faults.append(
            ArgumentFault(pointer="?limit", detail=f"a whole number from 1 to {LONGEST_PAGE}")
        )
    before = None
    if "cursor" in query:
        before = _read_cursor(query["cursor"])
        if before is None:
            faults.append(ArgumentFault(pointer="?cursor", detail="not a cursor of this list"))
    refuse_parameters(faults)
    return ((status,) if status else STATUSES), size, before


def _write_cursor(last: ListedDelivery) -> str:
    text = f"{last.created_at_ms} {last.delivery.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[int, str] | None:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        at, _, delivery_id = text.decode("ascii").partition(" ")
        return (int(at), delivery_id) if at.isdigit() and delivery_id else None
    except (binascii.Error, ValueError):
        return None
