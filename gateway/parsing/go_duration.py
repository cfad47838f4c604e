"""Durations as Go writes them, such as `1m30s`: clients of OpenFaaS send them in `X-Timeout`."""

from __future__ import annotations

import re

_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_UNITS_MS = {
    "ns": 1e-6,
    "us": 1e-3,
    "µs": 1e-3,
    "μs": 1e-3,
    "ms": 1.0,
    "s": 1e3,
    "m": 6e4,
    "h": 3.6e6,
}
_LONGEST = 64
_LONGEST_MS = 366 * 86_400_000


def parse_go_duration(text: str) -> int:
    """Return a duration in whole ms, at least 1.

    Source: Go's `time.ParseDuration`, without its sign.

    Raises:
        ValueError: It is not a duration, or not longer than none.
    """
    parts = _PART.findall(text)
    if len(text) > _LONGEST or not parts or "".join(map("".join, parts)) != text:
        raise ValueError(f"{text[:_LONGEST]!r} is not a duration of Go, such as 30s or 1m30s")
    total_ms = sum(float(number) * _UNITS_MS[unit] for number, unit in parts)
    if not 0 < total_ms <= _LONGEST_MS:
        raise ValueError("a timeout is longer than none and at most 366 days")
    return max(1, int(total_ms))
