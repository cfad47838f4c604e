"""Recurse without end, while the file is loaded."""

from __future__ import annotations


def again() -> int:
    return again() + 1


again()


def recurse() -> str:
    """Return that it could be called."""
    return "called"
