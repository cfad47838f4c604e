"""A function of two bodies of bytes, which only a form or base64 can carry."""

from __future__ import annotations


def joined(first: bytes, second: bytes, times: int = 1) -> bytes:
    """Return the one behind the other."""
    return (first + second) * times
