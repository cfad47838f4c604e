"""The callback of a call on `/async-function/{name}`, as OpenFaaS sends it.

Its body and its media type are the function's own. The signature of Standard Webhooks comes with
it, and the same timetable of attempts: receivers that know neither do not notice.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from runtime.invocations.raw_response import raw_response
from runtime.invocations.record import Record
from runtime.invocations.status import Status

_ERROR_STATUS, _TIMEOUT_STATUS, _UNREACHED_STATUS, _REFUSED_STATUS = 500, 504, 503, 422
_NOT_SENT = frozenset({"set-cookie", "content-encoding"})
_NS_PER_MS = 1_000_000


class OpenFaasCallback(NamedTuple):
    """The body of a callback, and the headers that it has besides the signed ones."""

    body: bytes
    headers: dict[str, str]


def build_callback(record: Record) -> OpenFaasCallback:
    """Return the callback for a finished invocation: the same at every attempt."""
    status, headers, body = _answer_of(record)
    started_ms = record.started_at_ms or record.finished_at_ms or 0
    duration_ms = max(0, (record.finished_at_ms or started_ms) - started_ms)
    return OpenFaasCallback(
        body,
        headers
        | {
            "X-Call-Id": record.call_id or record.id,
            "X-Function-Name": record.callback_as,
            "X-Function-Status": str(status),
            "X-Start-Time": str(record.created_at_ms * _NS_PER_MS),
            "X-Duration-Seconds": f"{duration_ms / 1000:.6f}",
        },
    )


def _answer_of(record: Record) -> tuple[int, dict[str, str], bytes]:
    if record.status is Status.SUCCEEDED:
        try:
            response = raw_response(record)
        except ValueError:
            return _UNREACHED_STATUS, {}, b""
        headers = {n: v for n, v in response.headers if n.lower() not in _NOT_SENT}
        return response.status, headers, response.body
    error = msgspec.json.decode(record.error) if record.error else {}
    kind = error.get("type")
    if record.status is not Status.FAILED or kind in {None, "worker_lost"}:
        return _UNREACHED_STATUS, {}, b""  # the function was not reached, or not to its end
    status = {"timeout": _TIMEOUT_STATUS, "rejected": _REFUSED_STATUS}.get(kind, _ERROR_STATUS)
    text = f"{error.get('message') or kind}\n"
    return status, {"Content-Type": "text/plain; charset=utf-8"}, text.encode(errors="replace")
