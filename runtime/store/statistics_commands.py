"""Typed commands for the statistics of each minute, which counters.lua writes.

`runtime.invocations.statistics` interprets the fields.
"""

from __future__ import annotations

from typing import Any

from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command, pairs

_EXACT_MS = 10


def begin_of_step(bound_ms: float) -> float:
    """Return where the step of a minute's histogram begins that ends at `bound_ms`.

    The steps are those of lua/include/counters.lua: none is wider than a tenth of its lower bound.
    Up to 10 ms every whole number is a step of its own.
    """
    if bound_ms <= _EXACT_MS:
        return bound_ms
    base = _EXACT_MS
    while bound_ms > 10 * base:
        base *= 10
    parts = 10 if bound_ms <= 2.5 * base else 4 if bound_ms <= 5 * base else 2
    return bound_ms - base / parts


def count_of(value: bytes) -> int:
    """Return a count as stored; 0 if the value is not a number."""
    try:
        return int(value)
    except ValueError:
        return 0


def read_clock() -> Command[int]:
    """Read Redis's time, in ms since the epoch."""
    return Command(("TIME",), lambda reply: int(reply[0]) * 1000 + int(reply[1]) // 1000)


def read_minute(minute: int, keys: Keys | None = None) -> Command[dict[str, int]]:
    """Read the counts of one minute since the epoch, by field; empty if nothing ended in it."""
    return Command(("HGETALL", (keys or Keys()).build("minute", str(minute))), read_counts)


def read_counts(flat: list[Any]) -> dict[str, int]:
    """Parse a hash of counts, by field."""
    return {field.decode(): count_of(n) for field, n in pairs(flat)}
