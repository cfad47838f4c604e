"""What it takes to invoke a function: from a manifest and arguments to one call of the store.

The gateway and the broker's `.send()` both come through here.
"""

from __future__ import annotations

import msgspec

from runtime.errors import FunctionUnavailableError
from runtime.invocations.identifiers import new_invocation_id
from runtime.registry.manifest import Manifest
from runtime.store.invocation_calls import Submitted
from runtime.store.invocation_calls import submit as submit_call
from runtime.store.scripts import Argument, Call


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """One invocation about to be born (a Struct, because it is on the way of every call).

    Attributes:
        arguments: The argument object as JSON, kept byte for byte.
        request: The HTTP request as JSON, for functions that take a Request.
        waiter: The id of the gateway to tell when it finishes, if a caller waits there.
        lane: The line within the queue; lanes take turns.
    """

    function: str
    version: str
    queue: str
    lane: str
    arguments: bytes
    id: str = msgspec.field(default_factory=new_invocation_id)
    priority: int = 5
    delay_ms: int = 0
    request: bytes | None = None
    callback: str | None = None
    waiter: str | None = None
    traceparent: str | None = None
    retry_of: str | None = None

    def fields(self) -> dict[str, Argument]:
        """Return the record's fields beyond those that every record has."""
        optional = {
            "request": self.request,
            "callback": self.callback,
            "waiters": self.waiter,
            "traceparent": self.traceparent,
            "retry_of": self.retry_of,
        }
        fields: dict[str, Argument] = {"version": self.version, "arguments": self.arguments}
        fields.update({name: value for name, value in optional.items() if value})
        return fields


def check_available(manifest: Manifest) -> None:
    """Raise FunctionUnavailableError when no version of the function ever loaded."""
    if not manifest.version:
        raise FunctionUnavailableError(
            f"{manifest.name} is not available: {manifest.file} has not loaded yet; "
            f"GET /functions/{manifest.name} shows the error"
        )


def prepare(
    manifest: Manifest,
    arguments: bytes,
    *,
    invocation_id: str | None = None,
    priority: int | None = None,
    delay_ms: int = 0,
    request: bytes | None = None,
    callback: str | None = None,
    waiter: str | None = None,
) -> Submission:
    """Return the submission of a call of the function that `manifest` describes.

    Raises:
        FunctionUnavailableError: No version of the function ever loaded.
    """
    check_available(manifest)
    return Submission(
        id=invocation_id or new_invocation_id(),
        function=manifest.name,
        version=manifest.version,
        queue=manifest.options.queue,
        lane=manifest.name,
        arguments=arguments,
        priority=manifest.options.priority if priority is None else priority,
        delay_ms=delay_ms,
        request=request,
        callback=callback,
        waiter=waiter,
    )


def submit(submission: Submission) -> Call[Submitted]:
    """Return the one call that gives birth to the invocation."""
    return submit_call(
        invocation_id=submission.id,
        function=submission.function,
        queue=submission.queue,
        lane=submission.lane,
        priority=submission.priority,
        delay_ms=submission.delay_ms,
        fields=submission.fields(),
    )
