"""What a function returned as an HTTP response: its own, or one made of its result."""

from __future__ import annotations

import msgspec

from runtime.invocations.record import Record
from runtime.sdk.response import StoredResponse, decode_response

_TEXT = "text/plain; charset=utf-8"


def raw_response(record: Record) -> StoredResponse:
    """Return the response of an invocation that succeeded.

    A `Response` is as it is, bytes have their media type, a text is without the quotes of JSON, and
    anything else is JSON.

    Raises:
        ValueError: The stored response is damaged.
    """
    result = record.result or b""
    if record.result_type == "response":
        return decode_response(result)
    if record.result_type == "bytes":
        return _made(record.result_media_type, result)
    if result.startswith(b'"'):
        return _made(_TEXT, msgspec.json.decode(result, type=str).encode())
    return _made("application/json", result)


def _made(media_type: str, body: bytes) -> StoredResponse:
    return StoredResponse(status=200, headers=(("Content-Type", media_type),), body=body)
