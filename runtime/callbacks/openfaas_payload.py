"""The callback of a call on `/async-function/{name}`, as OpenFaaS sends it.

Its body and its media type are the function's own. The signature of Standard Webhooks comes with
it, and the same timetable of attempts: receivers that know neither do not notice.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from runtime.invocations.raw_response import raw_response
from runtime.invocations.record import Record
from runtime.invocations.status import Status
from runtime.sdk.headers import Headers

_ERROR_STATUS, _TIMEOUT_STATUS, _UNREACHED_STATUS, _REFUSED_STATUS = 500, 504, 503, 422
# What the sender, the connection and the signature say; a function does not.
_SENDERS_OWN = frozenset(
    {
        *("host", "user-agent", "authorization", "proxy-authorization", "cookie", "set-cookie"),
        *("expect", "accept-encoding", "webhook-id", "webhook-timestamp", "webhook-signature"),
        *("webhook-attempt", "x-call-id", "x-function-name", "x-function-status"),
        *("x-start-time", "x-duration-seconds"),
    }
)
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
        sent = Headers.of((n, v) for n, v in response.headers if n.lower() not in _SENDERS_OWN)
        return response.status, dict(sent), response.body
    error = _error_of(record)
    kind = error.get("type")
    if record.status is not Status.FAILED or kind in {None, "worker_lost"}:
        return _UNREACHED_STATUS, {}, b""  # the function was not reached, or not to its end
    status = {"timeout": _TIMEOUT_STATUS, "rejected": _REFUSED_STATUS}.get(kind, _ERROR_STATUS)
    text = f"{error.get('message') or kind}\n"
    return status, {"Content-Type": "text/plain; charset=utf-8"}, text.encode(errors="replace")


def _error_of(record: Record) -> dict[str, Any]:
    """Return the error of an invocation; nothing if it has none or it is damaged."""
    try:
        error = msgspec.json.decode(record.error or b"{}")
    except (msgspec.DecodeError, RecursionError):
        error = None
    return error if isinstance(error, dict) else {}
