"""/checks: have a worker check the consistency of everything in Redis, and read its findings."""

from __future__ import annotations

from typing import Any

import structlog
from falcon.asgi import Request, Response

from gateway.auth.caller import caller_of
from gateway.parsing.switch_body import read_switch
from gateway.problems import ProblemError
from gateway.resources.json_answer import answer_json
from gateway.resources.store_resource import StoreResource
from gateway.serving.request_parser import BODY
from runtime.invocations.check_summary import CheckSummary, read_summary
from runtime.invocations.ids import new_invocation_id
from runtime.invocations.view import moment
from runtime.store.async_connection import AsyncConnection
from runtime.store.check_commands import ask_check, read_check, read_checks

_log = structlog.get_logger(__name__)
_LAST = "last"


class CheckList(StoreResource):
    """GET and POST /checks."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """List the requested, the running and the latest finished checks, without findings."""
        stored = await self._store.run(read_checks())
        _write(resp, {"items": [_view(read_summary(one)) for one in stored], "next": None})

    async def on_post(self, req: Request, resp: Response) -> None:
        """Request a check; one of the same kind that has not started yet serves both requests."""
        repair = read_switch(req.scope[BODY] or b"{}", "repair", default=False)
        check_id = await self._store.run(ask_check(new_invocation_id(), repair=repair))
        _log.info("check_asked", check=check_id, repairs=repair, by=caller_of(req.scope).name)
        resp.status = 202
        resp.set_header("Location", f"/checks/{check_id}")
        await _answer(self._store, check_id, resp)


class OneCheck(StoreResource):
    """GET /checks/{id}; the id `last` stands for the last finished check."""

    async def on_get(self, req: Request, resp: Response, check_id: str) -> None:  # noqa: ARG002
        """Show the progress and the findings of a check."""
        await _answer(self._store, check_id, resp)


async def _answer(store: AsyncConnection, check_id: str, resp: Response) -> None:
    stored = await store.run(read_check("" if check_id == _LAST else check_id))
    if stored is None:
        detail = (
            "No check has finished yet."
            if check_id == _LAST
            else f"No check has the id {check_id[:64]!r}; checks are kept for 30 days."
        )
        raise ProblemError("check_not_found", detail)
    _write(resp, _view(read_summary(stored)))


def _write(resp: Response, value: dict[str, Any]) -> None:
    resp.set_header("Cache-Control", "no-store")
    answer_json(resp, value)


def _view(check: CheckSummary) -> dict[str, Any]:
    return {
        "id": check.id,
        "state": check.state,
        "repair": check.repairs,
        "looked_at": check.looked_at,
        "found": check.found,
        "left": check.left,
        "findings": check.findings,
        "worker": check.worker,
        "asked_at": moment(check.asked_at_ms),
        "started_at": moment(check.started_at_ms),
        "finished_at": moment(check.finished_at_ms),
        "links": {"self": f"/checks/{check.id}"},
    }
