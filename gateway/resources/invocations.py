"""/invocations/{id} and what hangs on it: its result and its captured output."""

from __future__ import annotations

import hashlib

from falcon.asgi import Request, Response

from gateway.endings import ending_problem
from gateway.following import Follower
from gateway.preferences import read_preferences
from gateway.problems import ProblemError
from gateway.resources.conditional import answer_with_etag
from runtime.invocations.record import Record
from runtime.invocations.view import invocation_json

_ASK_AGAIN_S = "1"
# A result is a stranger's content on our origin: a browser must not run it.
_INERT = "sandbox; default-src 'none'"


async def fetch_preferred(req: Request, resp: Response, follower: Follower, id_: str) -> Record:
    """Return the invocation, having waited as long as the caller prefers."""
    preferences = read_preferences(req.get_header("Prefer"))
    record = await follower.fetch(id_, preferences.wait_s)
    if preferences.wait_s:
        resp.set_header("Preference-Applied", preferences.applied)
    return record


class Invocation:
    """GET /invocations/{id}."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    async def on_get(self, req: Request, resp: Response, invocation_id: str) -> None:
        """Show the invocation, whatever became of it."""
        record = await fetch_preferred(req, resp, self._follower, invocation_id)
        if not record.is_finished:
            resp.set_header("Retry-After", _ASK_AGAIN_S)
        body = invocation_json(record)
        etag = hashlib.blake2b(body, digest_size=12).hexdigest()
        resp.set_header("Cache-Control", "no-cache")
        answer_with_etag(req, resp, body, "application/json", etag)


class Result:
    """GET /invocations/{id}/result."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    async def on_get(self, req: Request, resp: Response, invocation_id: str) -> None:
        """Serve the bare result: JSON, or bytes with their media type."""
        record = await fetch_preferred(req, resp, self._follower, invocation_id)
        if not record.is_finished:
            raise ProblemError(
                "invocation_unfinished",
                f"It is {record.status.value}; ask again later.",
                headers={"Location": f"/invocations/{record.id}"},
            )
        problem = ending_problem(record)
        if problem is not None:
            raise problem
        media_type = "application/json"
        if record.result_type == "bytes":
            media_type = record.result_media_type
        resp.set_header("Content-Security-Policy", _INERT)
        etag = f"{record.id}-result"
        answer_with_etag(req, resp, record.result or b"", media_type, etag)


class Logs:
    """GET /invocations/{id}/logs."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    async def on_get(self, req: Request, resp: Response, invocation_id: str) -> None:  # noqa: ARG002
        """Serve the captured output as text."""
        record = await self._follower.fetch(invocation_id)
        resp.content_type = "text/plain; charset=utf-8"
        resp.set_header("Cache-Control", "no-cache")
        resp.data = record.logs
