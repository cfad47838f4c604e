"""The one strict boundary for JSON that callers send.

A body passes if it is one JSON object (RFC 8259) in UTF-8 without a byte order mark,
at most 64 levels deep, without duplicate keys, NaN, Infinity or lone surrogates, its
numbers finite. What passes is handed on byte for byte. An ordinary small body costs
one decode and two counts; only a body in doubt is looked at more closely.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from gateway.json_fault import DEEPEST, find_fault
from gateway.problems import ProblemError

_decode = msgspec.json.Decoder().decode
_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))


def read_json_object(body: bytes) -> dict[str, Any]:
    """Return the object a body holds, decoded; integers stay exact.

    Raises:
        ProblemError: `invalid_json`, with what is wrong and where.
    """
    try:
        value = _decode(body)
    except _ERRORS as error:
        raise _problem(body) from error
    if type(value) is not dict or not _is_plain(body, value):
        raise _problem(body)
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


def _is_plain(body: bytes, value: dict[str, Any]) -> bool:
    """Whether a decoded body is shallow and without duplicate keys.

    Every key has its colon, so an object with as many keys as the text has colons
    lost none to a duplicate; colons and brackets inside strings only raise doubt.
    """
    brackets = body.count(b"{") + body.count(b"[")
    colons = body.count(b":")
    if brackets == 1 and len(value) == colons:
        return True
    if brackets <= DEEPEST and _count_keys(value) == colons:
        return True
    bare = _STRING.sub(b"", body)
    return _depth(bare) <= DEEPEST and _count_keys(value) == bare.count(b":")


def _count_keys(value: object) -> int:
    if type(value) is dict:
        return len(value) + sum(
            [_count_keys(member) for member in value.values() if type(member) in (dict, list)]
        )
    if type(value) is list:
        return sum([_count_keys(item) for item in value if type(item) in (dict, list)])
    return 0


def _depth(bare: bytes) -> int:
    """Return how deep brackets nest in a text without strings; stops once it is too deep."""
    depth = deepest = 0
    for bracket in bare.translate(None, _NOT_BRACKETS):
        if bracket in b"{[":
            depth += 1
            if depth > deepest:
                deepest = depth
                if deepest > DEEPEST:
                    break
        else:
            depth -= 1
    return deepest


def _problem(body: bytes) -> ProblemError:
    fault = find_fault(body)
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
