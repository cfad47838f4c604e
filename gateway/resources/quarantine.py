"""GET /quarantine: invocations set aside because their records are missing or damaged."""

from __future__ import annotations

import msgspec
from falcon.asgi import Request, Response

from runtime.invocations.view import moment
from runtime.store.async_connection import AsyncConnection
from runtime.store.recovery_commands import read_quarantine


class QuarantineList:
    """GET /quarantine."""

    def __init__(self, store: AsyncConnection) -> None:
        self._store = store

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
        resp.content_type = "application/json"
        resp.data = msgspec.json.encode({"count": quarantine.count, "items": items, "next": None})
