"""POST /functions/{name}: accept a call, in five steps.

read → authorize → build the submission → submit → render. `AuthMiddleware` has authorized the
caller before this begins. What the gateway can refuse, it refuses before anything is queued; then
one round trip creates the invocation and, if the caller waits, asks Redis for the notice. Before
that, a call waits only for what is not known yet: a function published a moment ago, a file that is
being loaded, the name lookup of a callback's host.
"""

from __future__ import annotations

from falcon.asgi import Request, Response
from msgspec.structs import replace

from gateway.auth.webhook_callers import WebhookCallers
from gateway.invoke.call_headers import SharedOptions, read_settled, read_varying
from gateway.invoke.call_plan import CallPlan, CallPlans
from gateway.invoke.incoming import incoming_of
from gateway.invoke.invoker import Invoker
from gateway.invoke.webhook_challenge import answer_challenge
from gateway.live.manifest_cache import ManifestCache
from gateway.parsing.arguments import ParsedArguments, holds_json, read_arguments
from gateway.parsing.headers import noted_header
from gateway.parsing.json_body import (
    LONG_BYTES,
    read_json_object,
    read_long_json_object,
    require_no_coding,
)
from gateway.parsing.preferences import Preferences, read_preferences
from gateway.serving.request_parser import BODY, HEADERS
from runtime.callbacks.address_cache import AddressCache
from runtime.invocations.submission import check_available
from runtime.media_types import JSON, media_type_of
from runtime.registry.manifest import Manifest

# How long a call waits for a file that is being loaded: as long as its caller waits for the result,
# at most `_LONGEST_PATIENCE_S`; `_PATIENCE_S` if the caller does not wait.
_PATIENCE_S = 2.0
_LONGEST_PATIENCE_S = 10.0


class InvokeFunction:
    """Accepts calls.

    Args:
        manifest_cache: The published functions.
        plans: What the calls of each function have in common.
        invoker: Submits calls and writes the responses.
        callbacks: Checks the addresses of callbacks.
        webhooks: Verifies signed calls.
    """

    def __init__(
        self,
        *,
        manifest_cache: ManifestCache,
        plans: CallPlans,
        invoker: Invoker,
        callbacks: AddressCache,
        webhooks: WebhookCallers,
    ) -> None:
        self._manifest_cache = manifest_cache
        self._plans = plans
        self._invoker = invoker
        self._callbacks = callbacks
        self._webhooks = webhooks

    async def on_post(self, req: Request, resp: Response, name: str) -> None:
        """Accept one call, and wait for its result if the caller prefers that."""
        preferences = read_preferences(noted_header(req.scope, b"prefer"))
        plan = self._plans.find(self._manifest_cache.manifests, name)
        if plan is None or plan.manifest.is_loading:
            plan = await self._find_plan(name, preferences)
        manifest = plan.manifest
        if plan.verification is not None:
            delivery = await self._webhooks.require(req.scope, manifest)
            if delivery is not None and answer_challenge(resp, delivery):
                return
        # The query of a function that takes the request itself is the function's, not options.
        asked = read_settled(req.scope, "" if plan.takes_request else req.query_string)
        own = read_varying(req.scope)
        check_available(manifest)
        url = asked.call_options.callback
        if url is not None:
            kept = self._callbacks.recall(url) or await self._callbacks.check(url)
            if kept != url:
                asked = SharedOptions.of(replace(asked.call_options, callback=kept))
        if len(req.scope[BODY]) > LONG_BYTES:
            sourced = await _read_long(req, manifest)
        else:
            sourced = _read_body(req, plan)
        plan.check(sourced.decoded)
        waiter = self._invoker.waiter(preferences)
        submission = self._invoker.build(req, plan, sourced, asked, own, waiter=waiter)
        await self._invoker.answer(req, resp, plan, submission, preferences, asked.parts)

    async def _find_plan(self, name: str, preferences: Preferences) -> CallPlan:
        """Return the plan of a function published a moment ago, or wait while its file loads."""
        patience_s = min(preferences.wait_s or _PATIENCE_S, _LONGEST_PATIENCE_S)
        manifest = await self._manifest_cache.find_loaded(name, patience_s=patience_s)
        return self._plans.of(self._manifest_cache.manifests, manifest)


def _read_body(req: Request, plan: CallPlan) -> ParsedArguments:
    """Return the arguments in a body, not yet checked against the function's schema.

    Raises:
        ProblemError: The body is malformed, or its media type is not one the function takes.
    """
    body: bytes = req.scope[BODY]
    if body and not plan.takes_request and media_type_of(req.content_type) == JSON:
        require_no_coding(req.scope[HEADERS])
        return ParsedArguments(encoded=body, decoded=read_json_object(body))
    return read_arguments(plan.manifest, incoming_of(req))


async def _read_long(req: Request, manifest: Manifest) -> ParsedArguments:
    incoming = incoming_of(req)
    decoded = None
    if holds_json(manifest, incoming):
        require_no_coding(req.scope[HEADERS])
        decoded = await read_long_json_object(incoming.body)
    return read_arguments(manifest, incoming, decoded)
