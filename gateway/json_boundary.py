"""The one strict boundary for JSON that callers send.

A body passes if it is one JSON object (RFC 8259) in UTF-8 without a byte order mark,
at most 64 levels deep, without duplicate keys, NaN, Infinity or lone surrogates, its
numbers finite. What passes is handed on byte for byte. An ordinary small body costs
one decode and two counts; only a body in doubt is looked at more closely. A megabyte of the
worst text holds up everybody else for less than a tenth of a second: all that is done for every
byte is done by C code, and where a long text is wrong is said as far as the decoder knows it.
"""

from __future__ import annotations

import asyncio
import re
from itertools import accumulate
from typing import Any

import msgspec

from gateway.json_fault import DEEPEST, RULES_BROKEN, Fault, find_encoding_fault, find_fault, locate
from gateway.problems import ProblemError

LONGEST_LOCATED_BYTES = 32 * 1024
LONG_BYTES = 128 * 1024
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_STEPS = bytes.maketrans(b"{[]}", b"\x01\x01\xff\xff")  # down and up, as signed bytes
_CUT_OFF = "Input data was truncated"
_EMPTY = "The body is empty"
_BYTE = re.compile(r" \(byte (\d+)\)$")


def read_json_object(body: bytes) -> dict[str, Any]:
    """Return the object a body holds, decoded; integers stay exact.

    Raises:
        ProblemError: `invalid_json`, with what is wrong and where.
    """
    value = _decoded(body)
    if not _is_plain(body, value):
        raise _problem(body)
    return value


async def read_long_json_object(body: bytes) -> dict[str, Any]:
    """Return the same, in turns with everybody else if it is long.

    Raises:
        ProblemError: `invalid_json`, with what is wrong and where.
    """
    if len(body) <= LONG_BYTES:
        return read_json_object(body)
    value = _decoded(body)
    await asyncio.sleep(0)
    if not _is_plain(body, value):
        raise _problem(body)
    await asyncio.sleep(0)
    return value


def read_json_value(text: bytes) -> object:
    """Return any JSON value, by the same rules (for one field of a form).

    Raises:
        ProblemError: `invalid_json`.
    """
    try:
        _decode(text)
    except _ERRORS as error:
        raise ProblemError("invalid_json", "This is not a JSON value.") from error
    return read_json_object(b'{"value":%b}' % text)["value"]


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        value = _decode(body)
    except _ERRORS as error:
        raise _problem(body, error) from error
    if type(value) is not dict:
        raise _problem(body)
    return value


def _is_plain(body: bytes, value: dict[str, Any]) -> bool:
    """Whether a decoded body is shallow and without duplicate keys."""
    brackets = body.count(b"{") + body.count(b"[")
    if brackets == 1 and len(value) == body.count(b":"):
        return True
    return (brackets <= DEEPEST or _depth(_bare(body)) <= DEEPEST) and _keeps_keys(body, value)


def _keeps_keys(body: bytes, value: dict[str, Any]) -> bool:
    """Whether no key was lost to a duplicate.

    Every key has its colon, so a text that lost one has fewer when it is written again. An
    escaped colon in a string is written as a colon; so where there are escapes, the colons
    outside of strings are compared.
    """
    if body.count(b"{") == 1 and len(value) == body.count(b":"):
        return True
    again = _encode(value)
    if b"\\" not in body:
        return again.count(b":") == body.count(b":")
    return _bare(again).count(b":") == _bare(body).count(b":")


def _bare(text: bytes) -> bytes:
    """Return a JSON text without its strings."""
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(text.split(b'"')[::2])


def _depth(bare: bytes) -> int:
    """Return how deep brackets nest in a JSON text without strings."""
    steps = memoryview(bare.translate(_STEPS, _NOT_BRACKETS)).cast("b")
    return max(accumulate(steps), default=0)


def _problem(body: bytes, error: Exception | None = None) -> ProblemError:
    """Say what is wrong, and where; of a long body only what is known without a slow reader."""
    fault = _long_fault(body, error) if len(body) > LONGEST_LOCATED_BYTES else find_fault(body)
    if fault is None:
        return ProblemError("invalid_json", "The body is not a JSON object that is taken here.")
    return ProblemError(
        "invalid_json",
        f"{fault.what} (line {fault.line}, column {fault.column}).",
        members={
            "line": str(fault.line).encode(),
            "column": str(fault.column).encode(),
        },
    )


def _long_fault(body: bytes, error: Exception | None) -> Fault | None:
    encoding = find_encoding_fault(body)
    if encoding is not None:
        return encoding
    if error is None or isinstance(error, RecursionError):
        # No mistake in the text, so what begins like these in its first part is no cut-off text.
        early = find_fault(body[:LONGEST_LOCATED_BYTES].decode(errors="ignore").encode())
        if early is not None and early.what.startswith(RULES_BROKEN):
            return early
        raise _unlocated(
            f"The body is nested deeper than {DEEPEST} levels, or has a key twice in one object"
        )
    said = str(error)
    if said == _CUT_OFF:
        return locate(body, "The body ends too early" if body.strip() else _EMPTY, len(body))
    place = _BYTE.search(said)
    if place is None:
        raise _unlocated(said)
    return locate(body, said[: place.start()], min(int(place[1]), len(body)))


def _unlocated(what: str) -> ProblemError:
    return ProblemError(
        "invalid_json",
        f"{what}. Where, is said only for bodies of at most {LONGEST_LOCATED_BYTES // 1024} KiB.",
    )
