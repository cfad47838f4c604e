"""POST /functions/{name}: a call comes in.

Everything that can be refused is refused before anything is queued; then one round
trip makes the invocation and, for a caller who waits, registers the wait with it.
"""

from __future__ import annotations

from falcon.asgi import Request, Response
from msgspec.structs import replace

from gateway.accepting import Acceptance
from gateway.application import BODY, noted_header, single_header
from gateway.argument_sources import Incoming, Sourced, holds_json, read_arguments
from gateway.callers import ANYBODY, caller_of, identity_of
from gateway.directory import FunctionDirectory
from gateway.idempotency import HEADER, identify, options_content, read_idempotency_key
from gateway.json_boundary import LONG_BYTES, read_long_json_object
from gateway.media_types import media_type_of, require_no_coding
from gateway.plain_calls import BEGUN, PlainCall
from gateway.preferences import read_preferences
from gateway.query_parameters import WISHES
from gateway.tracing import trace_of
from gateway.wishes import read_wishes
from runtime.callbacks.guard import Policy, judge_async
from runtime.errors import CallbackAddressError
from runtime.invocations.submission import NO_WISHES, Wishes, check_available, prepare
from runtime.registry.arguments import check_arguments
from runtime.registry.manifest import Manifest

_PATIENCE_S = 2.0  # with a file that is being loaded, of a caller who does not wait otherwise
_LONGEST_PATIENCE_S = 10.0


class InvokeFunction:
    """Accepts calls."""

    def __init__(
        self, *, directory: FunctionDirectory, acceptance: Acceptance, callback_policy: Policy
    ) -> None:
        self._directory = directory
        self._acceptance = acceptance
        self._callback_policy = callback_policy

    async def accept(self, req: Request, resp: Response, name: str) -> None:
        """Accept one call, and wait for its end if the caller prefers that."""
        begun: PlainCall | None = req.scope.get(BEGUN)
        if begun is not None:
            await begun.answer(req, resp)
            return
        preferences = read_preferences(noted_header(req.scope, b"prefer"))
        patience_s = min(preferences.wait_s or _PATIENCE_S, _LONGEST_PATIENCE_S)
        manifest = await self._directory.find_loaded(name, patience_s=patience_s)
        wishes = NO_WISHES
        if req.query_string and not manifest.takes_request:
            wishes = read_wishes(req.query_string, WISHES)
        idempotency_key = read_idempotency_key(single_header(req.scope, HEADER))
        wishes = await with_headers(req, wishes, self._callback_policy)
        sourced = await _read_arguments(req, manifest)
        if idempotency_key is not None:
            wishes = _with_idempotency(req, manifest, wishes, sourced, idempotency_key)
        admission = self._acceptance.admission
        caller = caller_of(req.scope)
        submission = prepare(
            manifest,
            sourced.encoded,
            wishes=wishes,
            request=sourced.request,
            waiter=self._acceptance.waiter(preferences),
            max_waiting=admission.max_waiting,
            pace=admission.pace(req.scope),
            caller=caller.name,
            api_key=caller.key_id,
        )
        await self._acceptance.answer(req, resp, submission, preferences)


async def with_headers(req: Request, wishes: Wishes, policy: Policy) -> Wishes:
    """Return the wishes with what headers say: the callback's address, the trace.

    Raises:
        CallbackAddressError: The address may not be called.
        ProblemError: There are two addresses.
    """
    url = single_header(req.scope, "X-Callback-Url")
    trace = trace_of(req)
    if url is None and trace is None:
        return wishes
    callback = None if url is None else (await judge_async(_as_text(url), policy)).url
    return replace(wishes, callback=callback, trace=trace)


def _as_text(header: str) -> str:
    """Return a header as its sender wrote it: addresses are in UTF-8, if they are not ASCII."""
    try:
        return header.encode("latin-1").decode().strip()
    except UnicodeDecodeError as error:
        raise CallbackAddressError("the callback address is neither ASCII nor UTF-8") from error


def _with_idempotency(
    req: Request, manifest: Manifest, wishes: Wishes, sourced: Sourced, key: str
) -> Wishes:
    """Note the key; a function that takes the request itself is given its query, too."""
    media_type = media_type_of(req.content_type)
    is_whole = sourced.request is not None
    content = (
        media_type.encode(),
        req.scope[BODY] if is_whole else sourced.encoded,
        req.query_string.encode() if is_whole else b"",
        options_content(wishes),
    )
    scope = (manifest.name, identity_of(req.scope))
    return replace(wishes, idempotency=identify(key, scope=scope, content=content))


async def _read_arguments(req: Request, manifest: Manifest) -> Sourced:
    check_available(manifest)
    incoming = Incoming(
        method=req.method,
        path=req.path,
        query=req.query_string,
        headers=req.scope["headers"],
        content_type=req.content_type or "",
        body=req.scope[BODY],
        shows_authorization=caller_of(req.scope) is ANYBODY,
    )
    decoded = None
    if len(incoming.body) > LONG_BYTES and holds_json(manifest, incoming):
        require_no_coding(incoming.headers)
        decoded = await read_long_json_object(incoming.body)
    sourced = read_arguments(manifest, incoming, decoded)
    check_arguments(manifest, sourced.decoded)
    return sourced
