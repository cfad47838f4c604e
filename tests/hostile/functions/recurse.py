"""Recurse without end."""

from __future__ import annotations


def recurse(depth: int = 0) -> int:
    """Call itself."""
    return recurse(depth + 1) + 1
