"""The JSON that Penstock accepts, in request bodies and from functions.

RFC 8259 in UTF-8 without a byte order mark: at most 64 levels deep, no duplicate keys, no NaN or
Infinity, no lone surrogates, finite numbers, integers of at most 4,300 digits. A small ordinary
text costs one decode and two counts; only a doubtful one is examined further. A megabyte of the
worst text takes less than 0.1 s, because everything that is done per byte is done in C.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import msgspec

DEEPEST = 64
ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_LONG_BYTES = 2_048
_FEW = 8
_encode = msgspec.json.Encoder().encode
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_STEPS = bytes.maketrans(b"{[]}", b"\x01\x01\xff\xff")  # +1 and -1 as signed bytes

parse = msgspec.json.Decoder().decode
"""Return the value of a JSON text, integers exact; raises one of `ERRORS`. Checks no more."""


def decode(text: bytes, *, deepest: int = DEEPEST) -> Any:  # noqa: ANN401 - a JSON value is any
    """Return the value of a JSON text; integers are exact.

    Raises:
        ValueError: The text is not accepted JSON; the message says why.
    """
    try:
        value = parse(text)
    except RecursionError as error:
        raise ValueError(_too_deep(deepest)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not is_plain(text, value, deepest=deepest):
        is_deep = _depth(_bare(text)) > deepest
        raise ValueError(_too_deep(deepest) if is_deep else "an object has the same key twice")
    return value


def is_plain(text: bytes, value: Any, *, deepest: int = DEEPEST) -> bool:  # noqa: ANN401
    """Whether a text, decoded as `value`, nests at most `deepest` levels and repeats no key."""
    brackets = _count(text, b"{") + _count(text, b"[")
    if not brackets or (brackets == 1 and len(value) == _count(text, b":")):
        return True
    return (brackets <= deepest or _depth(_bare(text)) <= deepest) and _keeps_keys(text, value)


def _count(text: bytes, byte: bytes) -> int:
    """Return how often a byte occurs in a text.

    `bytes.find` skips other bytes forty times as fast as `bytes.count`, but each find has a cost.
    """
    if len(text) < _LONG_BYTES:
        return text.count(byte)
    at = -1
    for found in range(_FEW):
        at = text.find(byte, at + 1)
        if at < 0:
            return found
    return _FEW + text.count(byte, at + 1)


def _keeps_keys(text: bytes, value: Any) -> bool:  # noqa: ANN401
    """Whether the decoded value still has every key of the text.

    Each key has one colon, so a text that repeats a key has fewer colons when it is encoded again.
    Encoding turns an escaped colon in a string into a plain one; so if the text has escapes, only
    colons outside strings are compared.
    """
    if type(value) is dict and _count(text, b"{") == 1 and len(value) == _count(text, b":"):
        return True
    again = _encode(value)
    if b"\\" not in text:
        return again.count(b":") == text.count(b":")
    return _bare(again).count(b":") == _bare(text).count(b":")


def _bare(text: bytes) -> bytes:
    """Return a JSON text without its strings."""
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(text.split(b'"')[::2])


def _depth(bare: bytes) -> int:
    """Return the nesting depth of a JSON text whose strings were removed."""
    steps = memoryview(bare.translate(_STEPS, _NOT_BRACKETS)).cast("b")
    return max(accumulate(steps), default=0)


def _too_deep(deepest: int) -> str:
    return f"nested more than {deepest} levels deep"
