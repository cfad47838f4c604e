"""A function of bytes: it takes a body as it comes."""

from __future__ import annotations


def measure(data: bytes) -> int:
    """Return how many bytes it was given."""
    return len(data)
