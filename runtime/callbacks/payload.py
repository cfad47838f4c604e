"""The body and the headers of a callback, in the form of Standard Webhooks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from runtime.callbacks.signing import Secret, sign
from runtime.invocations.batch import Batch, batch_view
from runtime.invocations.record import Record
from runtime.invocations.view import invocation_view, moment
from runtime.store.delivery_commands import ClaimedDelivery

LARGEST_RESULT_BYTES = 20_000
_NO_MORE: Mapping[str, str] = {}
ATTEMPT_HEADER = "webhook-attempt"
# Fields that change after the end are fixed, so that every attempt sends the same bytes.
_AS_SENT: dict[str, Any] = {"delivery_status": "pending", "delivery_attempts": 0}
_AS_IT_ENDED: dict[str, Any] = {**_AS_SENT, "retried_by": None}


def build_body(record: Record, *, public_url: str = "") -> bytes:
    """Return the body for an invocation: the same bytes at every attempt.

    Args:
        record: A finished invocation.
        public_url: The gateway's URL for receivers; empty leaves links relative.
    """
    data = invocation_view(
        replace(record, **_AS_IT_ENDED), largest_result_bytes=LARGEST_RESULT_BYTES
    )
    return _body(f"invocation.{record.status.value}", record.finished_at_ms, data, public_url)


def build_batch_body(batch: Batch, *, public_url: str = "") -> bytes:
    """Return the body for a finished batch: its counts, without results."""
    data = batch_view(dataclasses.replace(batch, **_AS_SENT))
    return _body("batch.finished", batch.finished_at_ms, data, public_url)


def _body(kind: str, at_ms: int | None, data: dict[str, Any], public_url: str) -> bytes:
    origin = public_url.rstrip("/")
    data["links"] = {name: origin + path for name, path in data["links"].items()}
    return msgspec.json.encode({"type": kind, "timestamp": moment(at_ms), "data": data})


def build_headers(
    claimed: ClaimedDelivery,
    body: bytes,
    *,
    secrets: Sequence[Secret],
    now_ms: int,
    more: Mapping[str, str] = _NO_MORE,
) -> dict[str, str]:
    """Return the headers of one attempt, signed with the time `now_ms` (Redis's clock).

    With `more`, the callback has another form: these headers win, and it has no other media type.
    """
    timestamp_s = now_ms // 1000
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Penstock-Callbacks/1",
        "webhook-id": claimed.id,
        "webhook-timestamp": str(timestamp_s),
        ATTEMPT_HEADER: str(claimed.attempt),
        "webhook-signature": sign(
            secrets, webhook_id=claimed.id, timestamp_s=timestamp_s, body=body
        ),
        "X-Call-Id": claimed.invocation,
        "X-Function-Name": claimed.function,
        "X-Function-Status": claimed.outcome,
    }
    if not more:
        return headers
    theirs = {name.lower() for name in more} | {"content-type"}
    return {n: v for n, v in headers.items() if n.lower() not in theirs} | dict(more)
