"""Submit an invocation: from a manifest and arguments to one command for the store.

The gateway and the broker's `.send()` both use it.
"""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

import msgspec
from msgspec.structs import replace

from runtime.errors import FunctionUnavailableError
from runtime.invocations.ids import new_invocation_id
from runtime.registry.manifest import Manifest
from runtime.registry.secret_masking import encode_paths
from runtime.store.scripts import Command
from runtime.store.submission_commands import (
    Idempotency,
    Pace,
    Parts,
    Submitted,
    idempotency_part,
    parts_of,
)
from runtime.store.submission_commands import submit as submit_calls
from runtime.telemetry.trace_context import TraceContext


class CallOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a call; None or empty means the function's own option.

    Attributes:
        delay_ms: How long to wait before it may start.
        run_at_ms: When it may start, in ms since the epoch.
        max_age_ms: Expire it if it has not started so long after it was due.
        key: The fairness key: within a function, keys take turns.
        timeout_ms: Stop it after so long, if that is before the function's timeout.
        call_id: The caller's own id for the call.
        callback_as: The name under which the caller called the function; the callback then has the
            form of OpenFaaS.
    """

    priority: int | None = None
    delay_ms: int = 0
    run_at_ms: int = 0
    max_age_ms: int | None = None
    key: str = ""
    tags: tuple[str, ...] = ()
    callback: str | None = None
    timeout_ms: int = 0
    call_id: str = ""
    callback_as: str = ""

    def parts(self) -> Parts:
        """Return these options as parts of a call, except `max_age_ms`."""
        return parts_of(
            key=self.key,
            priority=self.priority,
            delay_ms=self.delay_ms,
            run_at_ms=self.run_at_ms,
            tags=self.tags,
            fields={
                "callback": self.callback,
                "timeout_ms": self.timeout_ms,
                "call_id": self.call_id,
                "callback_as": self.callback_as,
            },
        )


DEFAULT_OPTIONS = CallOptions()


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """One invocation to be created (a Struct for speed: every call creates one).

    Attributes:
        arguments: The argument object as JSON, kept byte for byte.
        request: The HTTP request as JSON, for functions that take a Request.
        waiter: The id of the gateway to notify when it finishes, if a caller waits there.
        max_waiting: Refuse it if so many invocations of the function wait; 0 means no limit.
        pace: The caller's rate limit.
        is_only_retry: Refuse it if `retry_of` has been retried before.
        is_repeatable: It may be submitted twice under its id and is created once.
        caller: The name of the caller's key; None for a call without a key.
        api_key: The id of the caller's key; checked again when the invocation is created.
        secrets: Where secrets are in the arguments, encoded; empty without secrets.
        trace: The trace context of the call.
    """

    function: str
    version: str
    queue: str
    arguments: bytes
    id: str = msgspec.field(default_factory=new_invocation_id)
    call_options: CallOptions = DEFAULT_OPTIONS
    priority: int = 5
    max_age_ms: int = 0
    max_waiting: int = 0
    request: bytes | None = None
    waiter: str | None = None
    retry_of: str | None = None
    is_only_retry: bool = False
    is_repeatable: bool = False
    pace: Pace | None = None
    caller: str | None = None
    api_key: str = ""
    secrets: bytes = b""
    idempotency: Idempotency | None = None
    trace: TraceContext | None = None

    def parts(self) -> Parts:
        """Return the options of the call, and the further fields of its record."""
        return self.caller_parts() + self.call_options.parts() + self.own_parts()

    def caller_parts(self) -> Parts:
        """Return the parts that name the caller: the same for all calls of a key."""
        return parts_of(api_key=self.api_key, fields={"caller": self.caller})

    def own_parts(self) -> Parts:
        """Return the parts that come neither from the caller nor from the call options."""
        parts: Parts = ()
        trace = self.trace
        if trace is not None:
            parts = ("traceparent", trace.traceparent)
            if trace.tracestate:
                parts += ("tracestate", trace.tracestate)
        if self.idempotency is not None:
            parts += idempotency_part(self.idempotency)
        is_marked = self.retry_of or self.is_repeatable or self.pace or self.max_age_ms
        if is_marked or self.request or self.secrets:
            parts += parts_of(
                max_age_ms=self.max_age_ms,
                pace=self.pace,
                retry_of=self.retry_of or "",
                is_only_retry=self.is_only_retry,
                is_repeatable=self.is_repeatable,
                fields={"request": self.request, "secrets": self.secrets},
            )
        return parts


class RequestParts(TypedDict, total=False):
    """What the request that creates an invocation adds to it; `Submission` documents each."""

    waiter: str | None
    is_only_retry: bool
    pace: Pace | None
    api_key: str
    idempotency: Idempotency | None
    trace: TraceContext | None


class CallParts(RequestParts, total=False):
    """What a call adds to what all calls of its function share, besides its options."""

    request: bytes | None
    retry_of: str | None
    is_repeatable: bool
    caller: str | None


def check_available(manifest: Manifest) -> None:
    """Raise FunctionUnavailableError if no version of the function has ever loaded."""
    if manifest.is_loading:
        raise FunctionUnavailableError(
            f"{manifest.name} is not available yet: {manifest.file} is being loaded; try again soon"
        )
    if not manifest.version:
        raise FunctionUnavailableError(
            f"{manifest.name} is not available: {manifest.file} has not loaded yet; "
            f"GET /functions/{manifest.name} shows the error"
        )


def prepare(
    manifest: Manifest,
    arguments: bytes,
    *,
    call_options: CallOptions = DEFAULT_OPTIONS,
    invocation_id: str | None = None,
    max_waiting: int = 0,
    **parts: Unpack[CallParts],
) -> Submission:
    """Return the submission of a call of the function that `manifest` describes.

    `max_waiting` applies if the function has no limit of its own.

    Raises:
        FunctionUnavailableError: No version of the function has ever loaded.
    """
    check_available(manifest)
    shared = share(manifest, max_waiting=max_waiting)
    call = complete(shared, arguments, call_options)
    return replace(call, id=invocation_id or call.id, **parts)


def share(manifest: Manifest, *, max_waiting: int = 0) -> Submission:
    """Return what all submissions of a function share, without arguments and id."""
    options = manifest.options
    return Submission(
        id="",
        function=manifest.name,
        version=manifest.version,
        queue=options.queue,
        arguments=b"",
        priority=options.priority,
        max_age_ms=int((options.max_age_s or 0) * 1000),
        max_waiting=options.max_waiting or max_waiting,
        secrets=encode_paths(manifest.secrets),
    )


def complete(  # noqa: PLR0913 - the parts of a call, one by one: every call comes here
    shared: Submission,
    arguments: bytes,
    call_options: CallOptions,
    *,
    request: bytes | None = None,
    waiter: str | None = None,
    pace: Pace | None = None,
    caller: str | None = None,
    api_key: str = "",
    idempotency: Idempotency | None = None,
    trace: TraceContext | None = None,
) -> Submission:
    """Return the submission of one call, made from what all calls of its function share."""
    return replace(
        shared,
        id=new_invocation_id(),
        arguments=arguments,
        call_options=call_options,
        priority=shared.priority if call_options.priority is None else call_options.priority,
        max_age_ms=shared.max_age_ms
        if call_options.max_age_ms is None
        else call_options.max_age_ms,
        request=request,
        waiter=waiter,
        pace=pace,
        caller=caller,
        api_key=api_key,
        idempotency=idempotency,
        trace=trace,
    )


def submit(submission: Submission) -> Command[Submitted]:
    """Return the one command that creates the invocation."""
    call = submit_calls(
        function=submission.function,
        queue=submission.queue,
        version=submission.version,
        priority=submission.priority,
        max_waiting=submission.max_waiting,
        waiter=submission.waiter or "",
        entries=[(submission.id, submission.arguments, submission.parts())],
    )

    def parse(reply: Any) -> Submitted:  # noqa: ANN401 - whatever Redis says
        [answer] = call.parse(reply)
        return answer if answer.id else replace(answer, id=submission.id)

    return Command(call.words, parse, call.script)
