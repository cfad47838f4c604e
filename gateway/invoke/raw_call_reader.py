"""Read a call on `/function/{name}` or `/async-function/{name}`, the paths of OpenFaaS."""

from __future__ import annotations

import re
import time
from typing import Any, NamedTuple

from falcon.asgi import Request, Response

from gateway.asgi.application import IS_HEAD
from gateway.auth.caller import caller_of
from gateway.auth.permissions import lacks_scope
from gateway.auth.webhook_callers import WebhookCallers
from gateway.invoke.call_headers import read_varying
from gateway.invoke.call_plan import CallPlan, CallPlans
from gateway.invoke.incoming import incoming_of
from gateway.invoke.webhook_challenge import answer_challenge
from gateway.live.manifest_cache import ManifestCache
from gateway.parsing.arguments import ParsedArguments
from gateway.parsing.function_names import find_name
from gateway.parsing.go_duration import parse_go_duration
from gateway.parsing.headers import single_header
from gateway.parsing.lenient_arguments import read_leniently
from gateway.parsing.preferences import fault_of, refuse_parameters
from gateway.problems import ProblemError
from runtime.invocations.ids import new_invocation_id
from runtime.invocations.submission import check_available
from runtime.registry.manifest import Manifest

_PATIENCE_S = 10.0  # how long a call waits for a file that is being loaded
_CALL_ID = re.compile(r"[\x21-\x7e]{1,255}")


class RawCall(NamedTuple):
    """A call that has been read.

    Attributes:
        id: The id of its invocation.
        call_id: The caller's own id for it; "" without one.
        timeout_ms: The caller's own timeout; 0 without one.
        own: The values of the headers that differ from call to call.
    """

    plan: CallPlan
    id: str
    call_id: str
    timeout_ms: int
    sourced: ParsedArguments
    own: dict[str, Any]


class RawCallReader:
    """Reads calls.

    Args:
        manifest_cache: The published functions.
        plans: What the calls of each function have in common.
        webhooks: Verifies signed calls.
        origin: The origin that callers see, if a proxy does not pass on theirs.
    """

    def __init__(
        self,
        *,
        manifest_cache: ManifestCache,
        plans: CallPlans,
        webhooks: WebhookCallers,
        origin: str = "",
    ) -> None:
        self._manifest_cache = manifest_cache
        self._plans = plans
        self._webhooks = webhooks
        self._origin = origin

    async def read(self, req: Request, resp: Response, name: str, rest: str) -> RawCall | None:
        """Return the call in a request; None if it was a sender's challenge, which is answered.

        Args:
            req: The request.
            resp: Its response.
            name: The function, as its caller names it.
            rest: What follows the name in the path.

        Raises:
            ProblemError: The caller may not make it, or something in it is wrong.
            UnknownFunctionError: No such function is published.
            FunctionUnavailableError: No version of the function has ever loaded.
        """
        plan = await self._find_plan(req, name)
        manifest = plan.manifest
        if plan.verification is not None:
            delivery = await self._webhooks.require(req.scope, manifest)
            if delivery is not None and answer_challenge(resp, delivery):
                return None
        check_available(manifest)
        _require_method(req, manifest)
        timeout_ms, call_id = _read_timeout(req), _read_call_id(req)
        invocation_id = new_invocation_id()
        incoming = incoming_of(
            req,
            rest=rest,
            origin=self._origin,
            shows_cookies=True,
            more_headers=(
                *(() if call_id else ((b"x-call-id", invocation_id.encode()),)),
                (b"x-start-time", str(time.time_ns()).encode()),
            )
            if manifest.takes_request
            else (),
        )
        sourced = await read_leniently(manifest, incoming)
        plan.check(sourced.decoded)
        own = read_varying(req.scope)
        return RawCall(plan, invocation_id, call_id, timeout_ms, sourced, own)

    async def _find_plan(self, req: Request, name: str) -> CallPlan:
        cache, grant = self._manifest_cache, caller_of(req.scope).grant
        found = find_name(cache.manifests, name) or name
        if not grant.may_invoke(found):
            raise lacks_scope("invoke", name)  # as given: it does not tell which functions exist
        plan = self._plans.find(cache.manifests, found)
        if plan is None or plan.manifest.is_loading:
            manifest = await cache.find_loaded(found, patience_s=_PATIENCE_S)
            plan = self._plans.of(cache.manifests, manifest)
        return plan


def _require_method(req: Request, manifest: Manifest) -> None:
    allowed = manifest.methods
    if req.method not in allowed:
        shown = ", ".join((*allowed, *(["HEAD"] if "GET" in allowed else ())))
        method = "HEAD" if req.scope[IS_HEAD] else req.method
        raise ProblemError(
            "method_not_allowed",
            f"{manifest.name} takes {shown}, not {method}; a function says which methods it "
            "takes with @function(methods=[…]).",
            headers={"Allow": shown},
        )


def _read_timeout(req: Request) -> int:
    text = single_header(req.scope, "X-Timeout")
    if text is None:
        return 0
    try:
        return parse_go_duration(text.strip())
    except ValueError as error:
        refuse_parameters([fault_of("X-Timeout", str(error))])
        raise


def _read_call_id(req: Request) -> str:
    text = single_header(req.scope, "X-Call-Id")
    if text is not None and not _CALL_ID.fullmatch(text):
        refuse_parameters([fault_of("X-Call-Id", "takes 1 to 255 visible ASCII characters")])
    return text or ""
