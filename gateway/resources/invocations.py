"""/invocations/{id}, its result and its captured output."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from falcon.asgi import Request, Response

from gateway.auth.caller import caller_of
from gateway.auth.permissions import lacks_scope
from gateway.invoke.event_log import log_cancelled
from gateway.invoke.invoker import ending_problem
from gateway.invoke.raw_answer import response_of, write_response
from gateway.live.manifest_cache import ManifestCache
from gateway.live.waiters import InvocationReader
from gateway.parsing.preferences import fault_of, read_preferences, read_query, refuse_parameters
from gateway.problems import ProblemError
from gateway.resources.etag import answer_with_etag, digest_of
from gateway.resources.json_answer import answer_json
from gateway.routing.parameters import ATTEMPT
from runtime.invocations.ids import is_invocation_id
from runtime.invocations.output import output_of
from runtime.invocations.record import Record
from runtime.invocations.view import invocation_json, invocation_view
from runtime.store.async_connection import AsyncConnection
from runtime.store.invocation_commands import Cancelled, cancel, read_outputs

_ASK_AGAIN_S = "1"
# A result is content of user code on the gateway's origin: a browser must not run it.
_INERT = "sandbox; default-src 'none'"


async def fetch_preferred(
    req: Request, resp: Response, invocation_reader: InvocationReader, id_: str
) -> Record:
    """Return the invocation, after waiting for its end as long as the caller prefers."""
    preferences = read_preferences(req.get_header("Prefer"))
    owner = caller_of(req.scope).sees_only
    record = await invocation_reader.fetch(id_, preferences.wait_s, owner=owner)
    if preferences.wait_s:
        resp.set_header("Preference-Applied", preferences.applied)
    return record


class Invocation:
    """GET and DELETE /invocations/{id}."""

    def __init__(
        self,
        store: AsyncConnection,
        manifest_cache: ManifestCache,
        invocation_reader: InvocationReader,
    ) -> None:
        self._store = store
        self._manifest_cache = manifest_cache
        self._invocation_reader = invocation_reader

    async def on_get(self, req: Request, resp: Response, invocation_id: str) -> None:
        """Show the invocation, whatever its status."""
        record = await fetch_preferred(req, resp, self._invocation_reader, invocation_id)
        if not record.is_finished:
            resp.set_header("Retry-After", _ASK_AGAIN_S)
        body = invocation_json(record)
        etag = digest_of(body)
        resp.set_header("Cache-Control", "no-cache")
        answer_with_etag(req, resp, body, "application/json", etag)

    async def on_delete(self, req: Request, resp: Response, invocation_id: str) -> None:
        """Cancel the invocation: a waiting one at once, a running one by its worker."""
        caller = caller_of(req.scope)
        answer: Cancelled = "MISSING"
        if is_invocation_id(invocation_id):
            answer = await self._store.run(cancel(invocation_id, owner=caller.controls_only))
            log_cancelled([(invocation_id, answer)])
        record = await self._invocation_reader.fetch(invocation_id, owner=caller.sees_only)
        if caller.controls_only not in (None, record.caller):
            raise lacks_scope("steer")
        view = invocation_view(record)
        if answer == "FINISHED":
            raise ProblemError(
                "invocation_finished",
                f"The invocation has already finished: it is {record.status.value}.",
                members={"invocation": msgspec.json.encode(view)},
            )
        view["cancellation"] = "done"
        if answer == "CANCELLING":
            is_shared = self._runs_in_a_thread(record.function)
            view["cancellation"] = "cooperative" if is_shared else "requested"
        answer_json(resp, view, 202)

    def _runs_in_a_thread(self, function: str) -> bool:
        """Whether the function can only be asked to stop, by `ctx.cancelled`."""
        manifest = self._manifest_cache.manifests.get(function)
        return manifest is not None and manifest.options.isolation == "thread"


class Result:
    """GET /invocations/{id}/result."""

    def __init__(self, invocation_reader: InvocationReader) -> None:
        self._invocation_reader = invocation_reader

    async def on_get(self, req: Request, resp: Response, invocation_id: str) -> None:
        """Serve only the result: JSON, bytes with their media type, or a function's response."""
        record = await fetch_preferred(req, resp, self._invocation_reader, invocation_id)
        if not record.is_finished:
            raise ProblemError(
                "invocation_unfinished",
                f"The invocation is {record.status.value}; ask again later.",
                headers={"Location": f"/invocations/{record.id}"},
            )
        problem = ending_problem(record)
        if problem is not None:
            raise problem
        resp.set_header("Content-Security-Policy", _INERT)
        etag = f"{record.id}-result"
        if record.result_type == "response":
            stored = response_of(record)
            write_response(resp, stored, is_raw=False)
            if stored.status == HTTPStatus.OK:
                media_type = stored.media_type or "application/octet-stream"
                answer_with_etag(req, resp, stored.body, media_type, etag)
            return
        media_type = "application/json"
        if record.result_type == "bytes":
            media_type = record.result_media_type
        answer_with_etag(req, resp, record.result or b"", media_type, etag)


class InvocationLogs:
    """GET /invocations/{id}/logs."""

    def __init__(self, store: AsyncConnection, invocation_reader: InvocationReader) -> None:
        self._store = store
        self._invocation_reader = invocation_reader

    async def on_get(self, req: Request, resp: Response, invocation_id: str) -> None:
        """Serve the captured output as text, of all attempts or of one."""
        query = read_query(req.query_string, [ATTEMPT.name])
        owner = caller_of(req.scope).sees_only
        record = await self._invocation_reader.fetch(invocation_id, owner=owner)
        output = output_of(
            record, await self._store.run(read_outputs(invocation_id, self._store.keys))
        )
        resp.content_type = "text/plain; charset=utf-8"
        resp.set_header("Cache-Control", "no-cache")
        resp.data = output.whole
        if ATTEMPT.name in query:
            resp.data = output.of_attempts.get(_read_attempt(query[ATTEMPT.name], record), b"")


def _read_attempt(text: str, record: Record) -> int:
    """Return the number of an attempt that has started."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0  # noqa: PLR2004
    if not 1 <= number <= record.attempt:
        detail = (
            f"takes a number from 1 to {record.attempt}"
            if record.attempt
            else "no attempt has started yet"
        )
        refuse_parameters([fault_of("?attempt", detail)])
    return number
