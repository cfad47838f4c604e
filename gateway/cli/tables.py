"""What commands print: tables and values for people, JSON for machines.

Results go to standard output, everything about them to standard error, so that a
result can be piped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

_WIDE = 200  # where nobody looks, nothing is wrapped


def print_json(value: Any) -> None:  # noqa: ANN401 - any JSON
    """Print a value as JSON, indented."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_value(value: Any) -> None:  # noqa: ANN401 - any JSON
    """Print a result: text as it is, everything else as JSON."""
    if isinstance(value, str):
        print(value)
    else:
        print_json(value)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under headings; cells are text, never markup."""
    from rich import box  # noqa: PLC0415 - slow, and only for people
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(cell).replace("[", r"\[") for cell in row))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)


def note(text: str) -> None:
    """Tell a person something that is not the result."""
    print(text, file=sys.stderr)
