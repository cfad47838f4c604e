"""Return what contains itself."""

from __future__ import annotations


def return_cycle() -> list[object]:
    """Return a list that is its own member."""
    endless: list[object] = []
    endless.append(endless)
    return endless
