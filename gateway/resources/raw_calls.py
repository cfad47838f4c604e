"""/function/{name} and /async-function/{name}: calls without an envelope, as OpenFaaS has them.

A caller of the first who goes away does not stop the function: its invocation goes on and can be
read by its id.
"""

from __future__ import annotations

from falcon.asgi import Request, Response
from msgspec.structs import replace

from gateway.auth.caller import caller_of
from gateway.invoke.call_headers import SharedOptions, read_settled
from gateway.invoke.event_log import log_cancelled
from gateway.invoke.invoker import Invoker
from gateway.invoke.raw_answer import write_raw
from gateway.invoke.raw_call_reader import RawCall, RawCallReader
from runtime.callbacks.address_cache import AddressCache
from runtime.errors import UnknownInvocationError
from runtime.invocations.ids import is_invocation_id
from runtime.invocations.submission import DEFAULT_OPTIONS, CallOptions, Submission
from runtime.store.async_connection import AsyncConnection
from runtime.store.invocation_commands import Cancelled, cancel

_PLAIN = SharedOptions.of(DEFAULT_OPTIONS)


class RawFunction:
    """Any method on /function/{name}[/…]: call a function and answer with what it returns.

    Args:
        reader: Reads calls.
        invoker: Submits them.
        longest_wait_s: How long a caller may wait.
    """

    def __init__(self, reader: RawCallReader, invoker: Invoker, *, longest_wait_s: float) -> None:
        self._reader = reader
        self._invoker = invoker
        self._longest_wait_s = longest_wait_s

    async def on_post(self, req: Request, resp: Response, name: str, rest: str = "") -> None:
        """Submit the call, wait for its end, and answer with the function's own response."""
        call = await self._reader.read(req, resp, name, rest)
        if call is None:
            return
        asked = _PLAIN
        if call.timeout_ms or call.call_id:
            asked = SharedOptions.of(CallOptions(timeout_ms=call.timeout_ms, call_id=call.call_id))
        submission = _submission_of(
            req, call, asked, self._invoker, waiter=self._invoker.gateway_id
        )
        record = await self._invoker.run(
            resp, call.plan, submission, asked.parts, wait_s=self._longest_wait_s
        )
        if record is not None:
            write_raw(resp, record)
        else:  # a webhook that is sent again gets a success, or its sender stops sending others
            resp.content_type = "text/plain"

    on_get = on_put = on_patch = on_delete = on_options = on_post


class AsyncFunctionBelow:
    """POST /async-function/{name}/…: submit a call without waiting for it."""

    def __init__(
        self,
        reader: RawCallReader,
        invoker: Invoker,
        *,
        callbacks: AddressCache,
        store: AsyncConnection,
    ) -> None:
        self._reader = reader
        self._invoker = invoker
        self._callbacks = callbacks
        self._store = store

    async def on_post(self, req: Request, resp: Response, name: str, rest: str = "") -> None:
        """Submit the call; the callback, if one is wanted, has the form of OpenFaaS."""
        call = await self._reader.read(req, resp, name, rest)
        if call is None:
            return
        url = read_settled(req.scope, "").call_options.callback
        if url is not None:
            url = self._callbacks.recall(url) or await self._callbacks.check(url)
        asked = SharedOptions.of(
            CallOptions(
                callback=url,
                callback_as=name if url else "",
                timeout_ms=call.timeout_ms,
                call_id=call.call_id,
            )
        )
        submission = _submission_of(req, call, asked, self._invoker)
        invocation_id = await self._invoker.accept(resp, call.plan, submission, asked.parts)
        resp.status = 202
        resp.content_type = "text/plain"  # of an empty body
        resp.set_header("X-Call-Id", invocation_id)
        resp.set_header("Location", f"/invocations/{invocation_id}")


class AsyncFunction(AsyncFunctionBelow):
    """/async-function/{name}: POST submits a call, and DELETE with its id cancels it."""

    async def on_delete(self, req: Request, resp: Response, name: str) -> None:
        """Cancel a call, whose id is in the place of the name."""
        answer: Cancelled = "MISSING"
        if is_invocation_id(name):
            owner = caller_of(req.scope).controls_only
            answer = await self._store.run(cancel(name, owner=owner))
            log_cancelled([(name, answer)])
        if answer == "MISSING":
            raise UnknownInvocationError(f"No call has the id {name[:64]!r}.")
        resp.status = 202


def _submission_of(
    req: Request,
    call: RawCall,
    asked: SharedOptions,
    invoker: Invoker,
    *,
    waiter: str | None = None,
) -> Submission:
    submission = invoker.build(req, call.plan, call.sourced, asked, call.own, waiter=waiter)
    return replace(submission, id=call.id)
