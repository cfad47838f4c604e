"""What commands print: results as JSON, text or tables, and the times in them.

Results go to standard output and everything else to standard error, so that a result can be
piped into another program. Durations and times are written for people (`3 m 20 s ago`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

_WIDE = 200  # not a terminal: wide enough that rows are not wrapped


def print_json(value: Any) -> None:  # noqa: ANN401 - any JSON
    """Print a value as JSON, indented."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_value(value: Any) -> None:  # noqa: ANN401 - any JSON
    """Print a result: a string as it is, any other value as JSON."""
    if isinstance(value, str):
        print(value)
    else:
        print_json(value)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; cells are plain text, never markup."""
    from rich import box  # noqa: PLC0415 - slow to import
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(cell).replace("[", r"\[") for cell in row))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)


def print_list(
    items: Sequence[Any],
    columns: Sequence[str],
    row: Callable[[Any, datetime], Sequence[object]],
    *,
    none: str,
    as_json: bool,
) -> None:
    """Print a list of the API as JSON or as a table; without items, a message.

    Args:
        items: What was listed.
        columns: The head of the table.
        row: Returns the cells of an item at the current time.
        none: The message.
        as_json: Whether to print JSON.
    """
    if as_json:
        print_json({"items": items})
    elif items:
        now = read_clock()
        print_table(columns, [row(item, now) for item in items])
    else:
        note(none)


def note(text: str) -> None:
    """Print a message, which is not part of the result, to standard error."""
    sys.stderr.write(f"{text}\n")  # in one write: the process of `run` writes there, too


_SECOND_MS = 1_000
_MINUTE_MS = 60 * _SECOND_MS
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS


def format_duration(ms: float | None) -> str:
    """Return a duration in one or two units: `340 ms`, `4.2 s`, `3 m 20 s`, `2 d 4 h`."""
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
    """Return a time (RFC 3339) relative to now: `3 m 20 s ago`, `in 2 h`."""
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
    """Return the current time in UTC."""
    return datetime.now(UTC)
