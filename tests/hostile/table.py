"""The documented endings of hostile functions: the table of the operators' page, read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/operations/hardening.md"
FUNCTIONS = Path(__file__).parent / "functions"
BEGIN = "<!-- hostile: read by tests/hostile -->"
END = "<!-- end of hostile -->"
NONE = "\N{EN DASH}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One hostile function: how a call of it ends, and what becomes of it as a file."""

    name: str
    when_called: str
    while_loaded: str


def read_table() -> list[Row]:
    """Return the rows of the page's table."""
    text = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in text.strip().splitlines()[2:]
    ]
    return [Row(name=row[0], when_called=row[2], while_loaded=row[3]) for row in rows]


ROWS = read_table()
CALLED = {row.name: row.when_called for row in ROWS}
LOADED = {row.name: row.while_loaded for row in ROWS if row.while_loaded != NONE}
