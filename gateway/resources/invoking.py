"""POST /functions/{name}: a call comes in, in five steps.

read → authorize → build the submission → submit → render. The doorkeeper has authorized the caller
before this begins. Everything that can be refused here is refused before anything is queued; then
one round trip makes the invocation and, for a caller who waits, registers the wait with it. Only
what is not known yet has to wait on the way: a function published a moment ago, a file that is
being loaded, the name of a callback's host.
"""

from __future__ import annotations

from typing import Any

from falcon.asgi import Request, Response

from gateway.accepting import Acceptance
from gateway.application import BODY, noted_header
from gateway.argument_sources import Incoming, Sourced, holds_json, read_arguments
from gateway.call_headers import read_call_headers
from gateway.call_plans import CallPlan, CallPlans
from gateway.callers import ANYBODY, caller_of, identity_of
from gateway.directory import FunctionDirectory
from gateway.idempotency import with_key
from gateway.json_boundary import (
    JSON,
    LONG_BYTES,
    media_type_of,
    read_json_object,
    read_long_json_object,
    require_no_coding,
)
from gateway.preferences import Preferences, read_preferences
from gateway.serving.parsing import HEADERS
from gateway.wishes import read_wishes
from runtime.callbacks.recent import RecentJudgements
from runtime.invocations.submission import (
    NO_WISHES,
    Submission,
    Wishes,
    check_available,
    complete,
)
from runtime.registry.manifest import Manifest

_PATIENCE_S = 2.0  # with a file that is being loaded, of a caller who does not wait otherwise
_LONGEST_PATIENCE_S = 10.0


class InvokeFunction:
    """Accepts calls.

    Args:
        directory: The functions there are.
        plans: What the calls of each have in common.
        acceptance: Submits, and renders the answer.
        callbacks: Judges where results may be sent.
    """

    def __init__(
        self,
        *,
        directory: FunctionDirectory,
        plans: CallPlans,
        acceptance: Acceptance,
        callbacks: RecentJudgements,
    ) -> None:
        self._directory = directory
        self._plans = plans
        self._acceptance = acceptance
        self._callbacks = callbacks

    async def on_post(self, req: Request, resp: Response, name: str) -> None:
        """Accept one call, and wait for its end if the caller prefers that."""
        preferences = read_preferences(noted_header(req.scope, b"prefer"))
        plan = self._plans.find(self._directory.manifests, name)
        if plan is None or plan.manifest.is_loading:
            plan = await self._find_plan(name, preferences)
        manifest = plan.manifest
        asked = _read_options(req, plan)
        check_available(manifest)
        if "callback" in asked:
            url = asked["callback"]
            asked["callback"] = self._callbacks.recall(url) or await self._callbacks.judge(url)
        if len(req.scope[BODY]) > LONG_BYTES:
            sourced = await _read_long(req, manifest)
        else:
            sourced = _read_body(req, plan)
        plan.check(sourced.decoded)
        submission = self._build(req, plan, sourced, asked, preferences)
        await self._acceptance.answer(req, resp, plan, submission, preferences)

    async def _find_plan(self, name: str, preferences: Preferences) -> CallPlan:
        """Wait for a function that was published a moment ago, or whose file is being loaded."""
        patience_s = min(preferences.wait_s or _PATIENCE_S, _LONGEST_PATIENCE_S)
        manifest = await self._directory.find_loaded(name, patience_s=patience_s)
        return self._plans.of(self._directory.manifests, manifest)

    def _build(
        self,
        req: Request,
        plan: CallPlan,
        sourced: Sourced,
        asked: dict[str, Any],
        preferences: Preferences,
    ) -> Submission:
        manifest = plan.manifest
        key = asked.pop("idempotency_key", None)
        wishes = Wishes(**asked) if asked else NO_WISHES
        if key is not None:
            wishes = with_key(
                wishes,
                key,
                function=manifest.name,
                caller=identity_of(req.scope),
                content=_content(req, sourced),
            )
        caller = caller_of(req.scope)
        admission = self._acceptance.admission
        return complete(
            plan.shared,
            sourced.encoded,
            wishes,
            request=sourced.request,
            waiter=self._acceptance.waiter(preferences),
            pace=admission.pace(req.scope),
            caller=caller.name,
            api_key=caller.key_id,
        )


def _read_options(req: Request, plan: CallPlan) -> dict[str, Any]:
    """Return what the query and the headers of a call ask for.

    A function that takes the request itself is given its query, too.

    Raises:
        ProblemError: `parameter_invalid`: something asked for is unknown or wrong.
    """
    asked: dict[str, Any] = {}
    if req.query_string and not plan.takes_request:
        asked.update(read_wishes(req.query_string))
    read_call_headers(req.scope, asked)
    return asked


def _read_body(req: Request, plan: CallPlan) -> Sourced:
    """Return the arguments in a body, not yet judged by the function's schema.

    Raises:
        ProblemError: The body is broken, or of a media type the function does not take.
    """
    body: bytes = req.scope[BODY]
    if body and not plan.takes_request and media_type_of(req.content_type) == JSON:
        require_no_coding(req.scope[HEADERS])
        return Sourced(encoded=body, decoded=read_json_object(body))
    return read_arguments(plan.manifest, _incoming(req))


async def _read_long(req: Request, manifest: Manifest) -> Sourced:
    incoming = _incoming(req)
    decoded = None
    if holds_json(manifest, incoming):
        require_no_coding(req.scope[HEADERS])
        decoded = await read_long_json_object(incoming.body)
    return read_arguments(manifest, incoming, decoded)


def _incoming(req: Request) -> Incoming:
    return Incoming(
        method=req.method,
        path=req.path,
        query=req.query_string,
        headers=req.scope["headers"],
        content_type=req.content_type or "",
        body=req.scope[BODY],
        shows_authorization=caller_of(req.scope) is ANYBODY,
    )


def _content(req: Request, sourced: Sourced) -> tuple[bytes, ...]:
    """Return what repetitions of a call have in common, besides its options."""
    media_type = media_type_of(req.content_type).encode()
    if sourced.request is None:
        return media_type, sourced.encoded, b""
    return media_type, req.scope[BODY], req.query_string.encode()
