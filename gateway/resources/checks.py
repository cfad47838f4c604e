"""/checks: have a worker check the consistency of everything in Redis, and read its findings."""

from __future__ import annotations

from typing import Any

import msgspec
import structlog
from falcon.asgi import Request, Response

from gateway.auth.caller import caller_of
from gateway.parsing.json_body import read_json_object
from gateway.problems import ProblemError
from gateway.serving.request_parser import BODY
from runtime.errors import ArgumentFault, ArgumentsError
from runtime.invocations.check_summary import CheckSummary, read_summary
from runtime.invocations.ids import new_invocation_id
from runtime.invocations.view import moment
from runtime.store.async_connection import AsyncConnection
from runtime.store.check_commands import ask_check, read_check, read_checks

_log = structlog.get_logger(__name__)
_LAST = "last"


class CheckList:
    """GET and POST /checks."""

    def __init__(self, store: AsyncConnection) -> None:
        self._store = store

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """List the requested, the running and the latest finished checks, without findings."""
        stored = await self._store.run(read_checks())
        _write(resp, {"items": [_view(read_summary(one)) for one in stored], "next": None})

    async def on_post(self, req: Request, resp: Response) -> None:
        """Request a check; one of the same kind that has not started yet serves both requests."""
        repair = _read_choice(req.scope[BODY])
        check_id = await self._store.run(ask_check(new_invocation_id(), repair=repair))
        _log.info("check_asked", check=check_id, repairs=repair, by=caller_of(req.scope).name)
        resp.status = 202
        resp.set_header("Location", f"/checks/{check_id}")
        await _answer(self._store, check_id, resp)


class OneCheck:
    """GET /checks/{id}; the id `last` stands for the last finished check."""

    def __init__(self, store: AsyncConnection) -> None:
        self._store = store

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
    resp.content_type = "application/json"
    resp.set_header("Cache-Control", "no-store")
    resp.data = msgspec.json.encode(value)


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


def _read_choice(body: bytes) -> bool:
    choice = read_json_object(body) if body else {}
    faults = [
        ArgumentFault(pointer=f"/{name}", detail="is unknown; the only member is repair")
        for name in choice
        if name != "repair"
    ]
    repair = choice.get("repair", False)
    if not isinstance(repair, bool):
        faults.append(ArgumentFault(pointer="/repair", detail="takes true or false"))
        repair = False
    if faults:
        raise ArgumentsError(tuple(faults))
    return repair
