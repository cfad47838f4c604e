"""One invocation as Redis stores it, parsed into names and numbers.

Times are ms since the epoch by Redis's clock. Arguments and result stay bytes, because nothing
between the caller and the runner needs to decode them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from runtime.invocations.status import FINISHED, Status
from runtime.invocations.submission import Submission
from runtime.store.invocation_commands import parse_notice
from runtime.store.invocation_commands import read as read_call
from runtime.store.scripts import Command

_OMITTED = b"_omitted"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """All fields of one invocation (a Struct for speed: every call that waits creates one).

    Attributes:
        omitted: Fields too long for a list; they are empty here.
        caller: The name of the caller's key; None for a call without a key.
        callback_as: The name under which the function was called, if its callback has the form of
            OpenFaaS; else "".
        call_id: The caller's own id for the call, if there is one.
        timeout_ms: The caller's own timeout; 0 without one.
        secrets: Where secrets are in the arguments; no view shows their values.
    """

    id: str
    function: str
    version: str
    status: Status
    queue: str
    created_at_ms: int
    priority: int = 5
    arguments: bytes = b"{}"
    request: bytes = b""
    secrets: bytes = b""
    omitted: frozenset[str] = frozenset()
    attempt: int = 0
    earlier_attempts: bytes = b""
    key: str = ""
    is_cancelling: bool = False
    scheduled_for_ms: int | None = None
    started_at_ms: int | None = None
    finished_at_ms: int | None = None
    worker: str | None = None
    result: bytes | None = None
    result_type: str = "json"
    result_media_type: str = "application/json"
    error: bytes | None = None
    logs: bytes = b""
    progress: bytes | None = None
    retry_of: str | None = None
    retried_by: str | None = None
    batch: str | None = None
    caller: str | None = None
    tags: bytes = b"[]"
    callback: str | None = None
    callback_as: str = ""
    call_id: str = ""
    timeout_ms: int = 0
    delivery: str | None = None
    delivery_status: str = "pending"
    delivery_attempts: int = 0

    @property
    def is_finished(self) -> bool:
        """Whether it has finished; a finished invocation never changes."""
        return self.status in FINISHED


_STATUSES = {status.value.encode(): status for status in Status}
_READERS: dict[bytes, tuple[str, Callable[[bytes], Any]]] = {
    b"status": ("status", _STATUSES.__getitem__),
    b"cancelling": ("is_cancelling", bool),
    b"attempts": ("earlier_attempts", bytes),
    **{
        name.encode(): (name, bytes.decode)
        for name in (
            *("function", "version", "queue", "key", "worker", "result_type", "result_media_type"),
            *("retry_of", "retried_by", "batch", "caller", "callback", "delivery"),
            *("callback_as", "call_id"),
        )
    },
    **{
        name.encode(): (name, bytes)
        for name in (
            *("arguments", "secrets", "request", "result", "error", "logs", "progress", "tags"),
        )
    },
    **{name.encode(): (name, int) for name in ("priority", "attempt", "timeout_ms")},
    **{
        name.encode(): (f"{name}_ms", int)
        for name in ("created_at", "scheduled_for", "started_at", "finished_at")
    },
}


def record_from_hash(invocation_id: str, flat: Iterable[bytes], **more: bytes) -> Record:
    """Parse what HGETALL returns: a field, its value, a field, its value, and so on.

    A damaged field is treated as missing, so that operators can still read the rest.

    Args:
        invocation_id: The invocation.
        flat: What was read.
        more: Fields of the record that are not in the hash.
    """
    fields: dict[str, Any] = {
        "id": invocation_id,
        "function": "",
        "version": "",
        "status": Status.QUEUED,
        "queue": "default",
        "created_at_ms": 0,
        **more,
    }
    parts = iter(flat)
    for name, value in zip(parts, parts, strict=True):
        reader = _READERS.get(name)
        if reader is not None:
            try:
                fields[reader[0]] = reader[1](value)
            except (ValueError, KeyError):
                continue
        elif name.endswith(_OMITTED):
            omitted = name.removesuffix(_OMITTED).decode()
            fields["omitted"] = fields.get("omitted", frozenset()) | {omitted}
    return Record(**fields)


def new_record(submission: Submission, created_at_ms: int) -> Record:
    """Return the record as it is right after its creation, without reading it."""
    call_options = submission.call_options
    due_ms = call_options.run_at_ms or created_at_ms + call_options.delay_ms
    is_later = due_ms > created_at_ms
    return Record(
        id=submission.id,
        function=submission.function,
        version=submission.version,
        status=Status.SCHEDULED if is_later else Status.QUEUED,
        queue=submission.queue,
        created_at_ms=created_at_ms,
        priority=submission.priority,
        arguments=submission.arguments,
        secrets=submission.secrets,
        request=submission.request or b"",
        scheduled_for_ms=due_ms if is_later else None,
        key=call_options.key,
        tags=msgspec.json.encode(call_options.tags),
        retry_of=submission.retry_of,
        caller=submission.caller,
        callback=call_options.callback,
    )


def record_from_notice(payload: bytes, arguments: bytes, request: bytes = b"") -> Record:
    """Parse the notice that a gateway with a waiting caller gets when the invocation finishes.

    It has neither the arguments nor the request, because the gateway has both.
    """
    invocation_id, flat = parse_notice(payload)
    return record_from_hash(invocation_id, flat, arguments=arguments, request=request)


def read(invocation_id: str) -> Command[Record | None]:
    """Read an invocation; None if there is no such id."""
    return _read(invocation_id, gateway="")


def watch(invocation_id: str, gateway: str) -> Command[Record | None]:
    """Read an invocation and, unless it has finished, have `gateway` notified when it does."""
    return _read(invocation_id, gateway=gateway)


def _read(invocation_id: str, *, gateway: str) -> Command[Record | None]:
    def parse(flat: list[bytes], delivery_status: str, delivery_attempts: int) -> Record | None:
        if not flat:
            return None
        record = record_from_hash(invocation_id, flat)
        if not record.delivery:
            return record
        return replace(
            record,
            delivery_status=delivery_status or "pending",
            delivery_attempts=delivery_attempts,
        )

    return read_call(invocation_id, parse, gateway=gateway)
