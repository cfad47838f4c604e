"""POST /functions/{name}: a call comes in.

Everything that can be refused is refused before anything is queued; then one round
trip makes the invocation and, for a caller who waits, registers the wait with it.
"""

from __future__ import annotations

from falcon.asgi import Request, Response

from gateway.application import BODY, noted_header
from gateway.argument_sources import Incoming, Sourced, read_arguments
from gateway.directory import FunctionDirectory
from gateway.endings import ending_problem
from gateway.error_handlers import write_problem
from gateway.following import Follower
from gateway.newborn import NewbornWriter
from gateway.preferences import Preferences, read_preferences, read_priority, read_query
from gateway.problems import ProblemError
from gateway.routes import find_operation
from runtime.callbacks.guard import Policy, judge_async
from runtime.invocations.record import Record, record_at_birth
from runtime.invocations.submission import NO_WISHES, Submission, Wishes, prepare, submit
from runtime.invocations.view import invocation_json
from runtime.registry.arguments import check_arguments
from runtime.registry.manifest import Manifest
from runtime.store.multiplexer import Multiplexer

ASK_AGAIN_S = "1"


class InvokeFunction:
    """Accepts calls."""

    def __init__(
        self,
        *,
        store: Multiplexer,
        directory: FunctionDirectory,
        follower: Follower,
        callback_policy: Policy,
    ) -> None:
        self._store = store
        self._directory = directory
        self._follower = follower
        self._callback_policy = callback_policy
        self._newborns = NewbornWriter()

    async def accept(self, req: Request, resp: Response, name: str) -> None:
        """Accept one call, and wait for its end if the caller prefers that."""
        manifest = await self._directory.find(name)
        priority = _read_priority(req, manifest)
        preferences = read_preferences(noted_header(req.scope, b"prefer"))
        callback = await self._read_callback(req)
        sourced = _read_arguments(req, manifest)
        submission = prepare(
            manifest,
            sourced.encoded,
            wishes=NO_WISHES
            if priority is None and callback is None
            else Wishes(priority=priority, callback=callback),
            request=sourced.request,
            waiter=self._follower.gateway_id if preferences.wait_s else None,
        )
        _point_to(resp, submission.id, preferences)
        if not preferences.wait_s:
            submitted = await self._store.run(submit(submission))
            _accept(resp, self._newborns.write(submission, submitted.created_at_ms))
            return
        record = await self._submit_and_wait(submission, preferences.wait_s)
        if not record.is_finished:
            _accept(resp, invocation_json(record))
        elif (problem := ending_problem(record)) is not None:
            write_problem(req, resp, problem)
        else:
            resp.content_type = "application/json"
            resp.data = invocation_json(record)

    async def _submit_and_wait(self, submission: Submission, wait_s: float) -> Record:
        with self._follower.expect(submission.id) as arrival:
            submitted = await self._store.run(submit(submission))
            newborn = record_at_birth(submission, submitted.created_at_ms)
            return await self._follower.until_finished(arrival, newborn, wait_s)

    async def _read_callback(self, req: Request) -> str | None:
        url = noted_header(req.scope, b"x-callback-url")
        if url is None:
            return None
        return (await judge_async(url.strip(), self._callback_policy)).url


def _read_priority(req: Request, manifest: Manifest) -> int | None:
    """Read the query; that of a function which takes the Request is the function's own."""
    if not req.query_string or manifest.takes_request:
        return None
    operation = find_operation("/functions/{name}", "POST")
    known = [parameter.name for parameter in operation.query] if operation else []
    return read_priority(read_query(req.query_string, known))


def _read_arguments(req: Request, manifest: Manifest) -> Sourced:
    if not manifest.version:
        raise ProblemError(
            "function_unavailable",
            f"No version of {manifest.name} has loaded; GET /functions/{manifest.name} says why.",
        )
    sourced = read_arguments(
        manifest,
        Incoming(
            method=req.method,
            path=req.path,
            query=req.query_string,
            headers=req.scope["headers"],
            content_type=req.content_type or "",
            body=req.scope[BODY],
        ),
    )
    check_arguments(manifest, sourced.decoded)
    return sourced


def _point_to(resp: Response, invocation_id: str, preferences: Preferences) -> None:
    resp.set_header("Location", f"/invocations/{invocation_id}")
    resp.set_header("X-Call-Id", invocation_id)
    if preferences.applied:
        resp.set_header("Preference-Applied", preferences.applied)


def _accept(resp: Response, invocation: bytes) -> None:
    resp.status = 202
    resp.set_header("Retry-After", ASK_AGAIN_S)
    resp.content_type = "application/json"
    resp.data = invocation
