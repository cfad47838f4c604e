"""What counts as JSON here, for all that comes in and all that functions give back.

RFC 8259 in UTF-8 without a byte order mark, at most 64 levels deep, without duplicate keys,
NaN, Infinity or lone surrogates, its numbers finite and its integers no longer than 4,300
digits. An ordinary small text costs one decode and two counts; only a text in doubt is looked at
more closely. A megabyte of the worst text takes less than a tenth of a second: all that is done
for every byte is done by C code.
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
_STEPS = bytes.maketrans(b"{[]}", b"\x01\x01\xff\xff")  # down and up, as signed bytes

parse = msgspec.json.Decoder().decode
"""Return the value that a text holds, integers exact; raises one of `ERRORS`."""


def decode(text: bytes, *, deepest: int = DEEPEST) -> Any:  # noqa: ANN401 - a JSON value is any
    """Return the value that a text holds; integers stay exact.

    Raises:
        ValueError: It is not JSON of this kind; the text says why.
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
    """Whether a text that holds `value` is shallow and without duplicate keys."""
    brackets = _count(text, b"{") + _count(text, b"[")
    if not brackets or (brackets == 1 and len(value) == _count(text, b":")):
        return True
    return (brackets <= deepest or _depth(_bare(text)) <= deepest) and _keeps_keys(text, value)


def _count(text: bytes, byte: bytes) -> int:
    """Return how often a byte is in a text.

    `bytes.find` skips what differs forty times as fast as `bytes.count`, but every find costs.
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
    """Whether no key was lost to a duplicate.

    Every key has its colon, so a text that lost one has fewer when it is written again. An
    escaped colon in a string is written as a colon; so where there are escapes, the colons
    outside of strings are compared.
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
    """Return how deep brackets nest in a JSON text without strings."""
    steps = memoryview(bare.translate(_STEPS, _NOT_BRACKETS)).cast("b")
    return max(accumulate(steps), default=0)


def _too_deep(deepest: int) -> str:
    return f"nested more than {deepest} levels deep"
