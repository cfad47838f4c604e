"""Yield without end, fast."""

from __future__ import annotations

from collections.abc import Iterator


def yield_for_ever() -> Iterator[str]:
    """Yield as fast as it can."""
    while True:
        yield "again and " * 100
