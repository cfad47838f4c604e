"""Arguments as the API takes them, and results as the function returned them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from penstock.client.errors import InvocationError, problem_error

ENDINGS = frozenset({"succeeded", "failed", "cancelled", "expired"})
_STATUSES = {
    "arguments_invalid": 422,
    "rejected": 422,
    "invocation_cancelled": 409,
    "invocation_expired": 409,
    "function_timeout": 504,
    "function_failed": 502,
}


def encode_arguments(arguments: Mapping[str, object]) -> bytes:
    """Return arguments as JSON on one line; bytes at any depth are written as base64.

    Raises:
        TypeError: A value has no form in JSON.
        ValueError: A number is infinite or not a number.
    """
    text = json.dumps(
        dict(arguments),
        allow_nan=False,
        default=_encode_bytes,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return text.encode()


def _encode_bytes(value: object) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"an argument of type {type(value).__name__} has no form in JSON")


def decode_base64(text: object) -> bytes | None:
    """Return the bytes that a result may stand for; None if it is no base64."""
    if not isinstance(text, str):
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def ending_error(record: Mapping[str, Any]) -> InvocationError | None:
    """Return the error of a finished invocation; None if it succeeded.

    It is the one that a caller gets who waits in the request.
    """
    status = record["status"]
    if status == "succeeded":
        return None
    error = record.get("error") or {}
    code, detail = f"invocation_{status}", f"the invocation was {status}"
    if status == "expired":
        detail = "the invocation expired: it did not start within its max_age"
    if status == "failed":
        code, detail = _failure(record["function"], error)
    problem = {"code": code, "status": _STATUSES[code], "detail": detail, "invocation": record}
    if error.get("errors"):
        problem["errors"] = error["errors"]
    found = problem_error(problem)
    assert isinstance(found, InvocationError)  # noqa: S101 - for mypy; the table is tested
    return found


def _failure(function: str, error: Mapping[str, Any]) -> tuple[str, str]:
    kind, message = error.get("type", "exception"), error.get("message") or "no message"
    if kind == "arguments_invalid":
        return kind, message
    if kind == "rejected":
        return kind, f"{function} rejected the call: {message}"
    code = "function_timeout" if kind == "timeout" else "function_failed"
    return code, f"{function} failed with {error.get('exception_type') or kind}: {message}"
