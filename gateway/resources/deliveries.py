"""/deliveries: callback deliveries with all their attempts; sending one again."""

from __future__ import annotations

from typing import Any

import msgspec
from falcon.asgi import Request, Response

from gateway.parsing.pagination import Paging, read_paging
from gateway.parsing.preferences import fault_of, read_query, refuse_parameters
from gateway.problems import ProblemError
from gateway.resources.json_answer import answer_json
from gateway.resources.store_resource import StoreResource
from runtime.errors import ArgumentFault
from runtime.invocations.view import moment
from runtime.store import delivery_commands
from runtime.store.async_connection import AsyncConnection
from runtime.store.delivery_commands import STATUSES, Delivery

USUAL_PAGE = 50
LONGEST_PAGE = 200
_QUERY = ("status", "limit", "cursor")


class DeliveryList(StoreResource):
    """GET /deliveries, newest first."""

    async def on_get(self, req: Request, resp: Response) -> None:
        """List a page of deliveries."""
        statuses, paging, before = _read_page(req)
        listed = await self._store.run(
            delivery_commands.list_page(statuses=statuses, limit=paging.limit + 1, before=before)
        )
        page = listed[: paging.limit]
        position = None
        if len(listed) > paging.limit:
            position = (str(page[-1].created_at_ms), page[-1].delivery.id)
        cursor = paging.point_on(resp, position)
        answer_json(
            resp, {"items": [delivery_view(entry.delivery) for entry in page], "next": cursor}
        )


class OneDelivery(StoreResource):
    """GET /deliveries/{id}."""

    async def on_get(self, req: Request, resp: Response, delivery_id: str) -> None:  # noqa: ARG002
        """Show a delivery with all its attempts."""
        await _show(self._store, resp, delivery_id)


class Redelivery(StoreResource):
    """POST /deliveries/{id}/redeliver."""

    async def on_post(self, req: Request, resp: Response, delivery_id: str) -> None:  # noqa: ARG002
        """Queue the delivery to be sent again at once, with the same webhook-id."""
        answer = await self._store.run(delivery_commands.redeliver(delivery_id))
        if answer == "MISSING":
            raise _unknown(delivery_id)
        if answer == "GONE":
            raise ProblemError(
                "invocation_gone", "The invocation is no longer kept, so there is nothing to send."
            )
        await _show(self._store, resp, delivery_id)
        resp.status = 202
        resp.set_header("Location", f"/deliveries/{delivery_id}")


def delivery_view(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as callers see it."""
    attempts = [msgspec.json.decode(entry) for entry in delivery.attempts]
    kind, path = ("batch", "batches") if delivery.is_of_batch else ("invocation", "invocations")
    return {
        "id": delivery.id,
        "invocation": None if delivery.is_of_batch else delivery.cause,
        "batch": delivery.cause if delivery.is_of_batch else None,
        "url": delivery.url,
        "status": delivery.status,
        "attempts": [{**attempt, "at": moment(attempt["at"])} for attempt in attempts],
        "next_at": moment(delivery.next_at_ms),
        "webhook_id": delivery.id,
        "links": {"self": f"/deliveries/{delivery.id}", kind: f"/{path}/{delivery.cause}"},
    }


async def _show(store: AsyncConnection, resp: Response, delivery_id: str) -> None:
    delivery = await store.run(delivery_commands.read(delivery_id))
    if delivery is None:
        raise _unknown(delivery_id)
    answer_json(resp, delivery_view(delivery))


def _unknown(delivery_id: str) -> ProblemError:
    return ProblemError("delivery_not_found", f"No delivery has the id {delivery_id[:64]!r}.")


def _read_page(req: Request) -> tuple[tuple[str, ...], Paging, tuple[int, str] | None]:
    query = read_query(req.query_string, _QUERY)
    faults: list[ArgumentFault] = []
    status = query.get("status")
    if status is not None and status not in STATUSES:
        faults.append(fault_of("?status", f"takes one of {', '.join(STATUSES)}"))
    paging = read_paging(req.path, query, faults, usual=USUAL_PAGE, longest=LONGEST_PAGE)
    refuse_parameters(faults)
    before = None
    if paging.after:
        created_at_ms, delivery_id = paging.after
        before = int(created_at_ms), delivery_id
    return ((status,) if status else STATUSES), paging, before
