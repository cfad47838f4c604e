"""From a request that has been read to the submission of its call."""

from __future__ import annotations

from typing import Any

from falcon.asgi import Request

from gateway.auth.caller import CALLER, Caller, identity_of
from gateway.invoke.admission import Admission
from gateway.invoke.call_headers import SharedOptions
from gateway.invoke.call_plan import CallPlan
from gateway.parsing.arguments import ParsedArguments
from gateway.parsing.idempotency import identify
from gateway.parsing.json_body import media_type_of
from gateway.serving.request_parser import BODY
from runtime.invocations.submission import Submission, complete
from runtime.registry.manifest import Manifest
from runtime.store.submission_commands import Idempotency


def build_submission(
    req: Request,
    plan: CallPlan,
    sourced: ParsedArguments,
    asked: SharedOptions,
    own: dict[str, Any],
    *,
    admission: Admission,
    waiter: str | None,
) -> Submission:
    """Return the submission of a call.

    Args:
        req: The request.
        plan: The plan of the function.
        sourced: The arguments.
        asked: The options that many calls have in common.
        own: The values of the headers that differ from call to call.
        admission: The limits of this gateway.
        waiter: The id of the gateway if the caller waits there.
    """
    key = own.get("idempotency")
    caller: Caller = req.scope[CALLER]
    return complete(
        plan.shared,
        sourced.encoded,
        asked.call_options,
        request=sourced.request,
        waiter=waiter,
        pace=admission.pace(req.scope),
        caller=caller.name,
        api_key=caller.key_id,
        idempotency=key and _idempotency(req, plan.manifest, sourced, asked.content, key),
        trace=own.get("trace"),
    )


def _idempotency(
    req: Request, manifest: Manifest, sourced: ParsedArguments, options: bytes, key: str
) -> Idempotency:
    is_whole = sourced.request is not None
    return identify(
        key,
        function=manifest.name,
        caller=identity_of(req.scope),
        content=(
            media_type_of(req.content_type).encode(),
            req.scope[BODY] if is_whole else sourced.encoded,
            req.query_string.encode() if is_whole else b"",
            options,
        ),
    )
