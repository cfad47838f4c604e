"""The shape of JSON texts that Penstock accepts: how deep they nest, and that no key repeats.

Whoever asks has decoded the text already, with the parser of the process it is in: msgspec's in
the gateway and in workers (`strict_json`), pydantic's where functions run
(`registry.strict_output`).
Everything that is done per byte is done in C: a megabyte of the worst text takes less than 0.1 s.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

DEEPEST = 64
Encode = Callable[[Any], bytes]
_LONG_BYTES = 2_048
_FEW = 8
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_STEPS = bytes.maketrans(b"{[]}", b"\x01\x01\xff\xff")  # +1 and -1 as signed bytes


def is_plain(
    text: bytes,
    value: Any,  # noqa: ANN401 - a JSON value is any
    encode: Encode,
    *,
    deepest: int = DEEPEST,
) -> bool:
    """Whether a text, decoded as `value`, nests at most `deepest` levels and repeats no key.

    Args:
        text: The JSON text.
        value: Its value.
        encode: Writes a value as JSON again.
        deepest: The most levels.
    """
    brackets = _count(text, b"{") + _count(text, b"[")
    if not brackets or (brackets == 1 and len(value) == _count(text, b":")):
        return True
    if brackets > deepest and _depth(_bare(text)) > deepest:
        return False
    return _keeps_keys(text, value, encode)


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


def _keeps_keys(text: bytes, value: Any, encode: Encode) -> bool:  # noqa: ANN401
    """Whether the decoded value still has every key of the text.

    Each key has one colon, so a text that repeats a key has fewer colons when it is encoded again.
    Encoding turns an escaped colon in a string into a plain one; so if the text has escapes, only
    colons outside strings are compared.
    """
    if type(value) is dict and _count(text, b"{") == 1 and len(value) == _count(text, b":"):
        return True
    again = encode(value)
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


def fault_of(text: bytes, *, deepest: int = DEEPEST) -> str:
    """Return why `is_plain` is false of a text."""
    is_deep = _depth(_bare(text)) > deepest
    return too_deep(deepest) if is_deep else "an object has the same key twice"


def too_deep(deepest: int) -> str:
    """Return what is wrong with a text that nests deeper."""
    return f"nested more than {deepest} levels deep"
