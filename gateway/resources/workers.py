"""GET /workers: who is alive and doing what, as of each one's last heartbeat."""

from __future__ import annotations

from typing import Any

import msgspec
from falcon.asgi import Request, Response

from runtime.invocations.view import moment
from runtime.store.multiplexer import Multiplexer
from runtime.store.system_calls import WorkerState, read_workers


class RunningAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that a worker runs."""

    id: str
    function: str
    started_at_ms: int = 0


class WorkerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker tells of itself with each heartbeat."""

    host: str = ""
    pid: int = 0
    queues: tuple[str, ...] = ()
    running: tuple[RunningAttempt, ...] = ()
    memory_bytes: int = 0


_decode = msgspec.json.Decoder(WorkerDetails).decode


def read_details(worker: WorkerState) -> WorkerDetails:
    """Return what a worker has told of itself."""
    return _decode(worker.details)


class WorkerList:
    """GET /workers."""

    def __init__(self, store: Multiplexer) -> None:
        self._store = store

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """List every worker that has been heard of lately, by id."""
        workers = await self._store.run(read_workers())
        items = [worker_view(worker) for worker in sorted(workers, key=lambda each: each.id)]
        resp.content_type = "application/json"
        resp.data = msgspec.json.encode({"items": items, "next": None})


def worker_view(worker: WorkerState) -> dict[str, Any]:
    """Return a worker as callers see it."""
    details = read_details(worker)
    return {
        "id": worker.id,
        "host": details.host,
        "pid": details.pid,
        "queues": details.queues,
        "started_at": moment(worker.started_at_ms),
        "last_seen_at": moment(worker.last_seen_at_ms),
        "running": [
            {
                "id": attempt.id,
                "function": attempt.function,
                "started_at": moment(attempt.started_at_ms),
            }
            for attempt in details.running
        ],
        "memory_bytes": details.memory_bytes,
    }
