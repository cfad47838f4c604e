"""The result of an invocation, as callers see it in JSON, and as Python values.

It is stored as JSON, as bytes, or as an HTTP response (`runtime.sdk.response`).
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from runtime.media_types import is_json
from runtime.sdk.headers import Headers
from runtime.sdk.response import decode_response

_NULL = msgspec.Raw(b"null")


def result_view(result_type: str, result: bytes | None) -> object:
    """Return a value that msgspec encodes as the result: bytes as base64, a response as an object.

    A response has `status`, `headers` and `body`. The body is its JSON value if its media type is
    JSON, else text; if it is neither, it is base64, and `body_encoding` says so. A damaged response
    is null.
    """
    if result_type == "bytes":
        return base64.b64encode(result or b"").decode()  # no bytes are not stored
    if result is None:
        return _NULL
    return _response_view(result) if result_type == "response" else msgspec.Raw(result)


def decode_result(result_type: str, result: bytes) -> Any:  # noqa: ANN401 - any JSON, or bytes
    """Return a result as a Python value: bytes as they are, a response as its view."""
    if result_type == "bytes":
        return result
    if result_type == "response":
        result = msgspec.json.encode(result_view(result_type, result))
    return msgspec.json.decode(result) if result else None


def _response_view(stored: bytes) -> object:
    try:
        response = decode_response(stored)
    except (ValueError, RecursionError):
        return _NULL
    view: dict[str, Any] = {
        "status": response.status,
        "headers": dict(Headers.of(response.headers)),
    }
    if is_json(response.media_type) and _parses(response.body):
        return {**view, "body": msgspec.Raw(response.body)}
    try:
        text = response.body.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text:
        return {**view, "body": text}
    encoded = base64.b64encode(response.body).decode("ascii")
    return {**view, "body": encoded, "body_encoding": "base64"}


def _parses(text: bytes) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
