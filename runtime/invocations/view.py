"""The invocation as callers see it: in responses, callbacks and problems."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from runtime.invocations.record import Record
from runtime.invocations.request_view import MOST_BODY_BYTES, request_view
from runtime.invocations.result import result_view
from runtime.registry.secret_masking import mask

_decode_attempts = msgspec.json.Decoder(list[dict[str, Any]]).decode
_MAY_BE_OMITTED = ("arguments", "result", "error", "progress", "attempts")


def invocation_json(record: Record, *, largest_result_bytes: int | None = None) -> bytes:
    """Return the invocation as JSON.

    Args:
        record: The invocation.
        largest_result_bytes: A longer result is left out (`result` null and `result_omitted`
            true) and can be read at `links.result`. A longer body of a request is left out, too.
    """
    return msgspec.json.encode(invocation_view(record, largest_result_bytes=largest_result_bytes))


def invocation_view(record: Record, *, largest_result_bytes: int | None = None) -> dict[str, Any]:
    """Return the invocation as a value that msgspec can encode; JSON parts are copied as is."""
    here = f"/invocations/{record.id}"
    view: dict[str, Any] = {
        "id": record.id,
        "function": record.function,
        "version": record.version,
        "status": record.status.value,
        "attempt": record.attempt,
        "attempts": _attempts(record),
        "arguments": msgspec.Raw(_arguments(record)),
        "request": _request(record, largest_result_bytes) if record.request else None,
        "result": result_view(record.result_type, record.result),
        "error": msgspec.Raw(record.error) if record.error else None,
        "progress": msgspec.Raw(record.progress) if record.progress else None,
        "tags": msgspec.Raw(record.tags),
        "queue": record.queue,
        "created_at": moment(record.created_at_ms),
        "scheduled_for": moment(record.scheduled_for_ms),
        "started_at": moment(record.started_at_ms),
        "finished_at": moment(record.finished_at_ms),
        "queued_ms": _between(
            record.scheduled_for_ms or record.created_at_ms, record.started_at_ms
        ),
        "duration_ms": _between(record.started_at_ms, record.finished_at_ms),
        "worker": record.worker,
        "retry_of": record.retry_of,
        "retried_by": record.retried_by,
        "batch": record.batch,
        "caller": record.caller,
        "callback": callback_view(
            record.callback, record.delivery_status, record.delivery_attempts, record.delivery
        ),
        "links": {
            "self": here,
            "events": f"{here}/events",
            "result": f"{here}/result",
            "logs": f"{here}/logs",
        },
    }
    size = len(record.result or b"")
    is_long = largest_result_bytes is not None and size > largest_result_bytes
    omitted = record.omitted | ({"result"} if is_long else set())
    for name in _MAY_BE_OMITTED:
        if name in omitted:
            view[name] = [] if name == "attempts" else None
            view[f"{name}_omitted"] = True
    if "request" in record.omitted:
        view["request_omitted"] = True
    return view


def moment(at_ms: int | None) -> str | None:
    """Return ms since the epoch as an RFC 3339 time in UTC, with ms."""
    if at_ms is None:
        return None
    return f"{_second(at_ms // 1000)}.{at_ms % 1000:03d}Z"


@lru_cache(maxsize=1024)
def _second(at_s: int) -> str:
    """Return a time without its fraction; most times of one response share it."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds").removesuffix("+00:00")


def _arguments(record: Record) -> bytes:
    """Return the arguments with secrets masked; nothing if they cannot be parsed."""
    try:
        return mask(record.arguments, record.secrets)
    except msgspec.MsgspecError:
        return b"{}"


def _attempts(record: Record) -> list[dict[str, Any]]:
    """Return the earlier attempts, as recorded when they ended, and the last one.

    Of many attempts, those between the first five and the last twenty are not kept.
    """
    if not record.attempt:
        return []
    attempts: list[dict[str, Any]] = []
    if record.earlier_attempts:
        with contextlib.suppress(msgspec.MsgspecError):  # damaged
            attempts = _decode_attempts(b"[" + record.earlier_attempts + b"]")
        for entry in attempts:
            entry["started_at"] = moment(entry.pop("started_at_ms"))
            entry["finished_at"] = moment(entry.pop("finished_at_ms"))
    noted = attempts[-1]["attempt"] if attempts else 0
    if noted < record.attempt and record.started_at_ms is not None:
        attempts.append(
            {
                "attempt": record.attempt,
                "worker": record.worker,
                "outcome": record.status.value if record.is_finished else None,
                "error": msgspec.Raw(record.error) if record.error and record.is_finished else None,
                "started_at": moment(record.started_at_ms),
                "finished_at": moment(record.finished_at_ms),
            }
        )
    return attempts


def _request(record: Record, largest_bytes: int | None) -> dict[str, Any] | None:
    most = MOST_BODY_BYTES if largest_bytes is None else min(largest_bytes, MOST_BODY_BYTES)
    if record.secrets:  # the body holds the arguments, unmasked
        most = 0
    try:
        return request_view(record.request, most_body_bytes=most)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _between(start_ms: int | None, end_ms: int | None) -> int | None:
    return None if start_ms is None or end_ms is None else max(0, end_ms - start_ms)


def callback_view(
    url: str | None, status: str, attempts: int, delivery: str | None
) -> dict[str, Any] | None:
    """Return the state of a callback; None without one."""
    if url is None:
        return None
    return {"url": url, "status": status, "attempts": attempts, "delivery": delivery}
