"""Yield without end, fast, while the file is loaded."""

from __future__ import annotations

import itertools

for _ in itertools.repeat("again"):
    pass


def yield_for_ever() -> str:
    """Return that it could be called."""
    return "called"
