"""GET /quarantine: invocations set aside because their records are missing or damaged."""

from __future__ import annotations

from falcon.asgi import Request, Response

from gateway.resources.json_answer import answer_json
from gateway.resources.store_resource import StoreResource
from runtime.invocations.view import moment
from runtime.store.recovery_commands import read_quarantine


class QuarantineList(StoreResource):
    """GET /quarantine."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Count the invocations in quarantine, and list the latest hundred."""
        quarantine = await self._store.run(read_quarantine())
        items = [
            {
                "id": one.id,
                "function": one.function,
                "queue": one.queue,
                "at": moment(one.at_ms),
                "reason": one.reason,
            }
            for one in quarantine.latest
        ]
        answer_json(resp, {"count": quarantine.count, "items": items, "next": None})
