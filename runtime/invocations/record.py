"""One invocation as Redis holds it, read into names and numbers.

Moments are ms since the epoch by Redis's clock. Arguments and result stay bytes:
nobody between the caller and the runner needs them decoded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec

from runtime.invocations.statuses import FINISHED, Status
from runtime.invocations.submission import Submission
from runtime.store.invocation_calls import parse_notice
from runtime.store.invocation_calls import read as read_call
from runtime.store.scripts import Call

_OMITTED = "_omitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The whole of one invocation.

    Attributes:
        omitted: Fields too long for a list; they are as if empty here.
        caller: The name of the key that called; None when nobody showed one.
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
    delivery: str | None = None
    delivery_status: str = "pending"
    delivery_attempts: int = 0

    @property
    def is_finished(self) -> bool:
        """Whether it has ended, for ever."""
        return self.status in FINISHED


def record_from_hash(invocation_id: str, flat: Iterable[bytes]) -> Record:
    """Read what HGETALL gives: a field, its value, a field, its value, and so on."""
    parts = iter(flat)
    fields = {name.decode(): value for name, value in zip(parts, parts, strict=True)}

    def text(name: str) -> str | None:
        value = fields.get(name)
        return value.decode() if value is not None else None

    def number(name: str) -> int | None:
        value = fields.get(name)
        return int(value) if value is not None else None

    return Record(
        id=invocation_id,
        function=text("function") or "",
        version=text("version") or "",
        status=Status(text("status") or "queued"),
        queue=text("queue") or "default",
        created_at_ms=number("created_at") or 0,
        priority=number("priority") or 0 if "priority" in fields else 5,
        arguments=fields.get("arguments", b"{}"),
        request=fields.get("request", b""),
        omitted=frozenset(
            name.removesuffix(_OMITTED) for name in fields if name.endswith(_OMITTED)
        ),
        attempt=number("attempt") or 0,
        earlier_attempts=fields.get("attempts", b""),
        key=text("key") or "",
        is_cancelling="cancelling" in fields,
        scheduled_for_ms=number("scheduled_for"),
        started_at_ms=number("started_at"),
        finished_at_ms=number("finished_at"),
        worker=text("worker"),
        result=fields.get("result"),
        result_type=text("result_type") or "json",
        result_media_type=text("result_media_type") or "application/json",
        error=fields.get("error"),
        logs=fields.get("logs", b""),
        progress=fields.get("progress"),
        retry_of=text("retry_of"),
        retried_by=text("retried_by"),
        batch=text("batch"),
        caller=text("caller"),
        tags=fields.get("tags", b"[]"),
        callback=text("callback"),
        delivery=text("delivery"),
    )


def record_at_birth(submission: Submission, created_at_ms: int) -> Record:
    """Return the record as it is right after its submission, without reading it."""
    wishes = submission.wishes
    due_ms = wishes.run_at_ms or created_at_ms + wishes.delay_ms
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
        scheduled_for_ms=due_ms if is_later else None,
        key=wishes.key,
        tags=msgspec.json.encode(wishes.tags),
        retry_of=submission.retry_of,
        caller=submission.caller,
        callback=wishes.callback,
    )


def record_from_notice(payload: bytes, arguments: bytes) -> Record:
    """Read what a finish publishes to a gateway that waits; it comes without the arguments."""
    invocation_id, flat = parse_notice(payload)
    return replace(record_from_hash(invocation_id, flat), arguments=arguments)


def read(invocation_id: str) -> Call[Record | None]:
    """Read an invocation, or None when there is no such id."""
    return _read(invocation_id, gateway="")


def watch(invocation_id: str, gateway: str) -> Call[Record | None]:
    """Read an invocation and, unless it has finished, have `gateway` told when it does."""
    return _read(invocation_id, gateway=gateway)


def _read(invocation_id: str, *, gateway: str) -> Call[Record | None]:
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
