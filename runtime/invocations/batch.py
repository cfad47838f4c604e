"""A batch: invocations of one function that were submitted together.

Its members are ordinary invocations. A batch counts them by status, and its callback is sent once,
when the last member has finished.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from runtime.invocations.record import Record, record_from_hash
from runtime.invocations.status import Status
from runtime.invocations.view import callback_view, invocation_view, moment
from runtime.store.listing_commands import RawBatch
from runtime.store.listing_commands import read_batch as read_call
from runtime.store.scripts import Command, pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch and a page of its members."""

    id: str
    function: str
    size: int
    created_at_ms: int
    counts: dict[str, int] = field(default_factory=dict)
    finished_at_ms: int | None = None
    callback: str | None = None
    delivery: str | None = None
    delivery_status: str = "pending"
    delivery_attempts: int = 0
    caller: str | None = None
    members: tuple[Record, ...] = ()

    @property
    def is_finished(self) -> bool:
        """Whether its last member has finished."""
        return self.finished_at_ms is not None


def read_batch(batch_id: str, *, start: int = 0, most: int = 0) -> Command[Batch | None]:
    """Read a batch and `most` of its members from index `start` on; None if it is unknown."""
    call = read_call(batch_id, start=start, most=most)

    def parse(reply: object) -> Batch | None:
        raw = call.parse(reply)
        return None if raw is None else _decoded(batch_id, raw)

    return replace(call, parse=parse)  # type: ignore[arg-type, return-value]


def new_batch(
    batch_id: str,
    *,
    function: str,
    size: int,
    created_at_ms: int,
    is_later: bool,
    callback: str | None,
    caller: str | None = None,
) -> Batch:
    """Return a batch as it is right after its creation, without reading it."""
    status = Status.SCHEDULED if is_later else Status.QUEUED
    return Batch(
        id=batch_id,
        function=function,
        size=size,
        created_at_ms=created_at_ms,
        counts={status.value: size},
        callback=callback,
        caller=caller,
    )


def batch_view(batch: Batch) -> dict[str, Any]:
    """Return the batch as callers see it, without its members."""
    here = f"/batches/{batch.id}"
    return {
        "id": batch.id,
        "function": batch.function,
        "size": batch.size,
        "counts": {status.value: batch.counts.get(status.value, 0) for status in Status},
        "created_at": moment(batch.created_at_ms),
        "finished_at": moment(batch.finished_at_ms),
        "caller": batch.caller,
        "callback": callback_view(
            batch.callback, batch.delivery_status, batch.delivery_attempts, batch.delivery
        ),
        "links": {"self": here, "items": f"{here}?limit=20", "retry": f"{here}/retry"},
    }


def members_view(batch: Batch) -> list[dict[str, Any]]:
    """Return the members that were read, as callers see invocations."""
    return [invocation_view(member) for member in batch.members]


def _decoded(batch_id: str, raw: RawBatch) -> Batch:
    fields = {name.decode(): value.decode() for name, value in pairs(raw.fields)}
    finished_at = fields.get("finished_at")
    return Batch(
        id=batch_id,
        function=fields.get("function", ""),
        size=int(fields.get("size", 0)),
        created_at_ms=int(fields.get("created_at", 0)),
        counts={status.value: int(fields.get(status.value, 0)) for status in Status},
        finished_at_ms=int(finished_at) if finished_at else None,
        callback=fields.get("callback"),
        delivery=fields.get("delivery"),
        delivery_status=raw.delivery_status or "pending",
        delivery_attempts=raw.delivery_attempts,
        caller=fields.get("caller"),
        members=tuple(
            record_from_hash(member_id, record) for member_id, record in raw.records if record
        ),
    )
