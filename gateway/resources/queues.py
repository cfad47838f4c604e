"""/queues: list queues with their counts, pause a queue, cancel everything that waits in it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from falcon.asgi import Request, Response

from gateway.invoke.event_log import log_purged
from gateway.live.worker_details import read_details
from gateway.parsing.switch_body import read_switch
from gateway.problems import ProblemError
from gateway.resources.json_answer import answer_json
from gateway.resources.store_resource import StoreResource
from gateway.serving.request_parser import BODY
from runtime.store.async_connection import AsyncConnection
from runtime.store.system_commands import (
    QueueState,
    pause_queue,
    purge_queue,
    read_queues,
    read_workers,
)

_MOST_PURGES = 100_000


class QueueList(StoreResource):
    """GET /queues."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """List all queues by name."""
        views = await _read_views(self._store)
        answer_json(resp, {"items": list(views.values()), "next": None})


class OneQueue(StoreResource):
    """PATCH /queues/{name}."""

    async def on_patch(self, req: Request, resp: Response, name: str) -> None:
        """Pause or resume a queue: while it is paused nothing starts; running attempts go on."""
        is_paused = read_switch(req.scope[BODY], "paused")
        if not await self._store.run(pause_queue(name, is_paused=is_paused)):
            raise _unknown(name)
        views = await _read_views(self._store)
        answer_json(resp, views[name])


class QueuePurge(StoreResource):
    """DELETE /queues/{name}/invocations."""

    async def on_delete(self, req: Request, resp: Response, name: str) -> None:  # noqa: ARG002
        """Cancel everything that waits in the queue, in parts, so that no script takes long."""
        queues = await self._store.run(read_queues())
        if name not in {queue.name for queue in queues}:
            raise _unknown(name)
        cancelled = 0
        for _ in range(_MOST_PURGES):
            part = await self._store.run(purge_queue(name))
            cancelled += part
            if not part:
                break
        log_purged(name, cancelled)
        answer_json(resp, {"cancelled": cancelled})


async def _read_views(store: AsyncConnection) -> dict[str, dict[str, Any]]:
    queues, workers = await store.run_many([read_queues(), read_workers()])
    serving = Counter(queue for worker in workers for queue in read_details(worker).queues)
    return {queue.name: _queue_view(queue, serving[queue.name]) for queue in queues}


def _queue_view(queue: QueueState, workers: int) -> dict[str, Any]:
    return {
        "name": queue.name,
        "paused": queue.is_paused,
        "depth": queue.waiting,
        "scheduled": queue.scheduled,
        "in_flight": queue.running,
        "oldest_ms": queue.oldest_ms,
        "workers": workers,
    }


def _unknown(name: str) -> ProblemError:
    return ProblemError("queue_not_found", f"No queue has the name {name[:64]!r}.")
