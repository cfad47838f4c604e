"""Moments and spans of time as people read them in tables.

Pure: the present is an argument.
"""

from __future__ import annotations

from datetime import UTC, datetime

_SECOND_MS = 1_000
_MINUTE_MS = 60 * _SECOND_MS
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS


def format_duration(ms: float | None) -> str:
    """Return a span in one or two units: `340 ms`, `4.2 s`, `3 m 20 s`, `2 d 4 h`."""
    if ms is None:
        return ""
    whole = round(ms)
    if whole < _SECOND_MS:
        return f"{whole} ms"
    if whole < 10 * _SECOND_MS:
        return f"{ms / _SECOND_MS:.1f} s"
    for unit_ms, unit, part_ms, part in (
        (_DAY_MS, "d", _HOUR_MS, "h"),
        (_HOUR_MS, "h", _MINUTE_MS, "m"),
        (_MINUTE_MS, "m", _SECOND_MS, "s"),
    ):
        if whole >= unit_ms:
            rest = whole % unit_ms // part_ms
            return f"{whole // unit_ms} {unit}" + (f" {rest} {part}" if rest else "")
    return f"{whole // _SECOND_MS} s"


def format_relative(moment: str | None, now: datetime) -> str:
    """Return how far a moment (RFC 3339) is from now: `3 m 20 s ago`, `in 2 h`."""
    if not moment:
        return ""
    try:
        away_ms = (datetime.fromisoformat(moment) - now).total_seconds() * 1000
    except (ValueError, TypeError):
        return moment
    if abs(away_ms) < _SECOND_MS:
        return "now"
    return f"in {format_duration(away_ms)}" if away_ms > 0 else f"{format_duration(-away_ms)} ago"


def read_clock() -> datetime:
    """Return the present."""
    return datetime.now(UTC)
