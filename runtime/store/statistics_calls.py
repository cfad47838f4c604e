"""The minutes of tally.lua as typed calls: what ended in each, and how long it took.

`runtime.invocations.statistics` gives the fields meaning.
"""

from __future__ import annotations

from typing import Any

from runtime.store.keys import Keys
from runtime.store.scripts import Call

# Upper bounds of the histograms, in ms; the same as in lua/include/tally.lua, and a test holds it.
BOUNDS_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000)


def read_clock() -> Call[int]:
    """Read what time it is for Redis, in ms since the epoch."""
    return Call(("TIME",), lambda reply: int(reply[0]) * 1000 + int(reply[1]) // 1000)


def read_minute(minute: int, keys: Keys | None = None) -> Call[dict[str, int]]:
    """Read the counts of one minute since the epoch, by field; empty when nothing ended in it."""
    return Call(("HGETALL", (keys or Keys()).build("minute", str(minute))), _read_counts)


def _read_counts(flat: list[Any]) -> dict[str, int]:
    parts = iter(flat)
    return {field.decode(): int(n) for field, n in zip(parts, parts, strict=True)}
