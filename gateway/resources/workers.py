"""GET /workers: live workers and what they run; POST /workers/{worker_id}/publish."""

from __future__ import annotations

from typing import Any

from falcon.asgi import Request, Response

from gateway.invoke.event_log import log_publishing
from gateway.live.worker_details import read_details
from gateway.parsing.preferences import fault_of, read_query, refuse_parameters
from gateway.problems import ProblemError
from gateway.resources.json_answer import answer_json
from gateway.resources.store_resource import StoreResource
from gateway.routing.parameters import WITHDRAW_MISSING
from runtime.invocations.view import moment
from runtime.store.system_commands import WorkerState, appoint_publisher, read_workers


class WorkerList(StoreResource):
    """GET /workers."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """List all workers with a recent heartbeat, by id."""
        workers = await self._store.run(read_workers())
        items = [worker_view(worker) for worker in sorted(workers, key=lambda each: each.id)]
        answer_json(resp, {"items": items, "next": None})


class WorkerPublishing(StoreResource):
    """POST /workers/{worker_id}/publish."""

    async def on_post(self, req: Request, resp: Response, worker_id: str) -> None:
        """Make this worker the one that publishes its functions folder, from now on."""
        query = read_query(req.query_string, [WITHDRAW_MISSING.name])
        wanted = query.get(WITHDRAW_MISSING.name, "false")
        if wanted not in WITHDRAW_MISSING.choices:
            refuse_parameters([fault_of("?withdraw_missing", "takes true or false")])
        withdraw_missing = wanted == "true"
        call = appoint_publisher(worker_id, withdraw_missing=withdraw_missing)
        if not await self._store.run(call):
            raise ProblemError("worker_not_found", f"No live worker has the id {worker_id[:64]!r}.")
        log_publishing(worker_id)
        answer_json(resp, {"worker": worker_id, "withdraw_missing": withdraw_missing}, 202)


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
        "in_flight": details.held,
        "max_in_flight": details.max_in_flight,
        "runners": details.runners,
        "loop": details.loop,
        "runner_wait": details.runner_wait,
        "memory_bytes": details.memory_bytes,
        "publishes": details.publishes,
        "functions": details.functions,
        "environments": {
            "ready": details.environments.ready,
            "building": details.environments.building,
        },
    }
