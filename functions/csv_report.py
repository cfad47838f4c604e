"""Describe a CSV file: its columns, types, missing values and summary statistics.

It uses only the standard library and pydantic's Field. The result is plain JSON without NaN, with
the columns in their order.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from penstock import Reject, function

DELIMITERS = (",", ";", "\t", "|")
SNIFFED_ROWS = 50
SNIFFED_CHARACTERS = 100_000
MOST_COLUMNS = 500
MOST_COMMON = 5
LONGEST_VALUE = 100
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})
BOOLEANS = frozenset({"true", "false", "yes", "no"})
# No leading zeros, as 00123 is a code. At most 18 digits, which fit in 64 bits: longer numbers are
# codes too.
INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})")
NUMBER = re.compile(
    r"[+-]?(?:(?:0|[1-9][0-9]{0,17})(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
)
DATE = re.compile(r"[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}(?:[T ][0-9:.]+(?:Z|[+-][0-9:]+)?)?")
# Beyond this the sum of squares could overflow a float.
LARGEST = 1e150

Type = Literal["integer", "number", "boolean", "date", "text", "empty"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Statistics of an integer or number column.

    `stdev` is the sample standard deviation; it is null for fewer than two values.
    """

    min: int | float
    max: int | float
    mean: float
    median: int | float
    stdev: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """The earliest and latest value of a date column, as written; without a zone they are UTC."""

    earliest: str
    latest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The lengths of the shortest and longest value of a text column, in characters."""

    shortest: int
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """A value (cut to 100 characters) and how often it occurs."""

    value: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; `numbers`, `dates` and `text` are null except the one that fits its type."""

    name: str
    type: Type
    values: int
    missing: int
    distinct: int
    numbers: Numbers | None
    dates: Dates | None
    text: Text | None
    most_common: list[Common]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The description of a table; `ragged_rows` counts rows with too many or too few cells."""

    rows: int
    columns: list[Column]
    encoding: str
    delimiter: str
    has_header: bool
    ragged_rows: int
    notes: list[str]


@function(timeout="30s")
def csv_report(
    table: bytes, delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
) -> Report:
    r"""Describe every column of a CSV table.

    Types are integer, number, boolean (true, false, yes, no), date (ISO 8601), text and
    empty. Codes with leading zeros are text. Cells that are empty or contain NA, N/A, NaN, null
    or none count as missing. The first row has the column names unless it looks like data.

    Args:
        table: The CSV file in UTF-8, or in UTF-16 with a byte order mark; any other is read as
            Latin-1.
        delimiter: The character between cells; if not given, it is detected among `,` `;` tab
            and `|`.

    Returns:
        The number of rows and, for each column, its type, the number of missing and distinct
        values, the most common values, and the minimum, maximum, mean, median and standard
        deviation of numbers, the range of dates, or the lengths of texts.
    """
    text, encoding = _decode(table)
    used = delimiter or _sniff(text)
    rows = _read(text, used)
    if not rows:
        raise Reject("the table is empty")
    width = len(rows[0])
    if width > MOST_COLUMNS:
        raise Reject(f"the table has {width} columns; at most {MOST_COLUMNS} are described")
    ragged = sum(len(row) != width for row in rows)
    cells: list[list[str]] = [[] for _ in range(width)]
    for row in rows:
        for column, cell in zip(cells, row, strict=False):
            column.append(cell.strip())
    has_header = _has_header(rows[0], cells)
    names = [cell.strip() for cell in rows[0]] if has_header else [""] * width
    count = len(rows) - has_header
    return Report(
        rows=count,
        columns=[
            _describe(name or f"column_{number}", column[has_header:], count)
            for number, (name, column) in enumerate(zip(names, cells, strict=True), 1)
        ],
        encoding=encoding,
        delimiter=used,
        has_header=has_header,
        ragged_rows=ragged,
        notes=_notes(encoding, names, ragged),
    )


def _decode(table: bytes) -> tuple[str, str]:
    """Return the text and the name of its encoding."""
    if table.startswith((b"\xff\xfe", b"\xfe\xff")):
        return table.decode("utf-16", errors="replace"), "utf-16"
    if b"\0" in table:
        raise Reject("the table is not text: it holds NUL bytes")
    try:
        return table.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return table.decode("latin-1"), "latin-1"


def _read(text: str, delimiter: str, limit: int | None = None) -> list[list[str]]:
    """Return the rows that are not empty; only the first `limit` of them if given."""
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if row:
                rows.append(row)
            if limit is not None and len(rows) == limit:
                break
    except csv.Error as error:
        raise Reject(f"line {reader.line_num} cannot be read as CSV: {error}") from error
    return rows


def _sniff(text: str) -> str:
    """Return the delimiter that gives most of the first rows the same number of cells, above 1."""

    def evenness(delimiter: str) -> tuple[float, int]:
        sample = text[:SNIFFED_CHARACTERS]
        widths = Counter(len(row) for row in _read(sample, delimiter, SNIFFED_ROWS))
        if not widths:
            return 0, 0
        width, count = widths.most_common(1)[0]
        return (count / widths.total(), width) if width > 1 else (0, 0)

    return max(DELIMITERS, key=evenness)


def _has_header(first: list[str], cells: list[list[str]]) -> bool:
    """Whether the first row has column names: some text, and no data like that in other rows."""
    for cell, column in zip(first, cells, strict=True):
        is_data = _type_of({cell.strip()}) not in {"text", "empty"}
        if is_data and _type_of(_present(column[1:])) != "text":
            return False
    return any(cell.strip() for cell in first)


def _notes(encoding: str, names: list[str], ragged: int) -> list[str]:
    """Return sentences about what may make the figures wrong."""
    notes = []
    if encoding == "latin-1":
        notes.append("not UTF-8: read as Latin-1, so accents may be wrong")
    if ragged:
        notes.append(f"{ragged} rows do not have {len(names)} cells; surplus cells were left out")
    for name, count in Counter(name for name in names if name).items():
        if count > 1:
            notes.append(f"{count} columns are named {_cut(name)!r}")
    return notes


def _describe(name: str, cells: list[str], rows: int) -> Column:
    counts = _present(cells)
    kind = _type_of(counts)
    filled = counts.total()
    return Column(
        name=_cut(name),
        type=kind,
        values=filled,
        missing=rows - filled,
        distinct=len(counts),
        numbers=_numbers(counts) if kind in {"integer", "number"} else None,
        dates=_dates(counts) if kind == "date" else None,
        text=_text(counts) if kind == "text" else None,
        most_common=[
            Common(value=_cut(value), count=count)
            for value, count in counts.most_common(MOST_COMMON)
        ],
    )


def _present(cells: list[str]) -> Counter[str]:
    """Count the cells that are not missing, by value, so that each value is examined once."""
    return Counter(cell for cell in cells if cell.casefold() not in MISSING)


def _type_of(values: Collection[str]) -> Type:
    """Return the narrowest type that fits all values."""
    if not values or all(value.casefold() in MISSING for value in values):
        return "empty"
    if all(INTEGER.fullmatch(value) for value in values):
        return "integer"
    if all(NUMBER.fullmatch(value) and abs(float(value)) < LARGEST for value in values):
        return "number"
    if all(value.casefold() in BOOLEANS for value in values):
        return "boolean"
    return "date" if all(_moment(value) for value in values) else "text"


def _moment(value: str) -> datetime | None:
    """Parse an ISO 8601 date or date and time; return None if it is neither."""
    if not DATE.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value.replace("/", "-"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _numbers(counts: Counter[str]) -> Numbers:
    weights: Counter[int | float] = Counter()
    for value, count in counts.items():
        weights[int(value) if INTEGER.fullmatch(value) else float(value)] += count
    ordered = sorted(weights)
    total = weights.total()
    mean = math.fsum(value * count for value, count in weights.items()) / total
    spread = math.fsum((value - mean) ** 2 * count for value, count in weights.items())
    middle = sorted(weights.elements())[(total - 1) // 2 : total // 2 + 1]
    return Numbers(
        min=ordered[0],
        max=ordered[-1],
        mean=mean,
        median=middle[0] if middle[0] == middle[-1] else (middle[0] + middle[-1]) / 2,
        stdev=math.sqrt(spread / (total - 1)) if total > 1 else None,
    )


def _dates(counts: Counter[str]) -> Dates:
    ordered = sorted((moment, value) for value in counts if (moment := _moment(value)))
    return Dates(earliest=ordered[0][1], latest=ordered[-1][1])


def _text(counts: Counter[str]) -> Text:
    lengths = [len(value) for value in counts]
    return Text(shortest=min(lengths), longest=max(lengths))


def _cut(value: str) -> str:
    return value if len(value) <= LONGEST_VALUE else value[: LONGEST_VALUE - 1] + "…"
