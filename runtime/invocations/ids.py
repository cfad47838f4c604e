"""Ids of invocations: UUIDv7 (RFC 9562, section 5.7), so that ids sort by age.

The 12 bits after the version hold the fraction of the millisecond (method 3 of section 6.2), so ids
made by one process in one millisecond keep their order. Of the last 62 bits, 38 are random and 24
are a checksum of the rest. The checksum distinguishes an id of ours that has expired from one that
never existed, without a list of ids.
"""

from __future__ import annotations

import os
import re
import struct
import time
import zlib

_SHAPE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
_NS_PER_MS = 1_000_000
_fetched = struct.Struct(">64Q")
_chance: list[int] = []
# A fork must not repeat its parent's ids.
os.register_at_fork(after_in_child=_chance.clear)
_CHECKSUM_BITS = 24
_CHECKSUM_MASK = (1 << _CHECKSUM_BITS) - 1
_CHANCE_MASK = (1 << 38) - 1
_pack = struct.Struct(">QQ").pack


def new_invocation_id() -> str:
    """Return a new id in the usual hyphenated form, lower case."""
    try:
        chance = _chance.pop()
    except IndexError:  # a system call is slow, so random bytes for many ids are read at once
        chance, *more = _fetched.unpack(os.urandom(_fetched.size))
        _chance.extend(more)
    ms, fraction_ns = divmod(time.time_ns(), _NS_PER_MS)
    return format_id(ms, (fraction_ns << 12) // _NS_PER_MS, chance)


def format_id(ms: int, fraction: int, chance: int) -> str:
    """Return an id from ms since the epoch, 12 bits of fraction and 38 random bits."""
    high = (ms << 16) | 0x7000 | (fraction & 0xFFF)
    low = (0b10 << 62) | ((chance & _CHANCE_MASK) << _CHECKSUM_BITS)
    low |= zlib.crc32(_pack(high, low)) & _CHECKSUM_MASK
    text = _pack(high, low).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_invocation_id(text: str) -> bool:
    """Whether `text` is an id that Penstock made, however long ago."""
    if _SHAPE.match(text) is None:
        return False
    digits = text.replace("-", "")
    high, low = int(digits[:16], 16), int(digits[16:], 16)
    return low & _CHECKSUM_MASK == _checksum(high, low & ~_CHECKSUM_MASK)


def _checksum(high: int, low: int) -> int:
    return zlib.crc32(_pack(high, low)) & _CHECKSUM_MASK
