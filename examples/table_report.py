# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.10,<4", "polars>=1.40,<3"]
# ///
"""Profile a CSV table with polars and draw its columns with matplotlib.

Nothing is preloaded: numpy and polars start threads when they are imported.
"""

from __future__ import annotations

import csv
import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from itertools import islice, repeat
from typing import Annotated, Literal

from pydantic import Field

from penstock import Reject, function

# One core for each call: calls run side by side, in processes. Both read it when they are imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import matplotlib as mpl
import polars as pl
from matplotlib.figure import Figure

DELIMITERS = (",", ";", "\t", "|")
MISSING = ["", "na", "n/a", "nan", "null", "none"]
MOST_COLUMNS = 200
MOST_ROWS = 500_000
MOST_CHARTS = 20
MOST_BINS = 30
TOP = 10
LONGEST_VALUE = 100
LONGEST_LABEL = 24
# No leading zeros: 00123 is a code. At most 18 digits, which fit in 64 bits.
INTEGER = r"^[+-]?(?:0|[1-9][0-9]{0,17})$"
NUMBER = r"^[+-]?(?:(?:0|[1-9][0-9]{0,17})(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
BOOLEAN = r"^(?i:true|false|yes|no)$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}$"
# Beyond this the sum of squares could overflow a float.
LARGEST = 1e150

# A `$` in a text is a dollar, and no formula.
mpl.rcParams["text.parse_math"] = False
warnings.filterwarnings("ignore", message="Glyph .* missing from")

Type = Literal["integer", "number", "boolean", "date", "time", "text", "empty"]
Png = Annotated[bytes, Field(json_schema_extra={"contentMediaType": "image/png"})]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Statistics of an integer or number column; `q1` and `q3` are the quartiles."""

    min: float
    q1: float
    median: float
    q3: float
    max: float
    mean: float
    stdev: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The earliest and the latest value of a date or time column, in ISO 8601."""

    earliest: str
    latest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """A value (cut to 100 characters) and how often it occurs."""

    value: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; `numbers` or `moments` is there if it fits the type.

    `chart` is a histogram of numbers, or bars of the top values of texts.
    """

    name: str
    type: Type
    count: int
    missing: int
    distinct: int
    numbers: Numbers | None
    moments: Moments | None
    top: list[Top]
    chart: Png | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The profile of a table."""

    rows: int
    columns: list[Column]


@function(timeout="60s", memory="1GiB")
def table_report(
    table: bytes,
    delimiter: Annotated[str, Field(pattern=r"^[ -~\t]$")] | None = None,
    charts: Annotated[int, Field(ge=0, le=MOST_CHARTS)] = 12,
) -> Profile:
    r"""Profile every column of a CSV table, with charts.

    The first row has the names of the columns. Cells that are empty or contain NA, N/A, NaN, null
    or none are missing. Codes with leading zeros are text. Rows that are too short or too long are
    filled or cut. A table has at most 200 columns and 500,000 rows.

    Args:
        table: The CSV file in UTF-8, or in UTF-16 with a byte order mark; any other is read as
            Latin-1.
        delimiter: The character between cells; if not given, the one of `,` `;` tab and `|` that
            is most frequent in the first line.
        charts: How many columns get a chart; the first ones do.

    Returns:
        The number of rows and, for each column, its type, the number of values, of missing and of
        distinct ones, statistics of numbers, the range of dates, the top values, and a chart.
    """
    names, rows = _read(_decode(table), delimiter)
    columns: list[Column] = []
    for name, cells in zip(names, zip(*rows, strict=True) if rows else repeat(()), strict=False):
        drawn = sum(column.chart is not None for column in columns)
        columns.append(_profile(name, _typed(_texts(cells)), is_drawn=drawn < charts))
    return Profile(rows=len(rows), columns=columns)


def _decode(table: bytes) -> str:
    if table.startswith((b"\xff\xfe", b"\xfe\xff")):
        return table.decode("utf-16", errors="replace")
    if b"\0" in table:
        raise Reject("the table is not text: it holds NUL bytes")
    try:
        return table.decode("utf-8-sig")
    except UnicodeDecodeError:
        return table.decode("latin-1")


def _read(text: str, delimiter: str | None) -> tuple[list[str], list[list[str]]]:
    """Return the names of the columns and the rows, all as long as there are names."""
    text = text.strip("\r\n")
    if not text.strip():
        raise Reject("the table is empty")
    first = text.splitlines()[0]
    separator = delimiter or max(DELIMITERS, key=first.count)
    # Not polars' own reader: it takes all that follows an open quote for one cell.
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = next(reader)
        width = len(names)
        # An empty line is no row, unless it is the empty cell of the only column.
        filled = (row for row in reader if row or width == 1)
        rows = [(row + [""] * width)[:width] for row in islice(filled, MOST_ROWS + 1)]
    except csv.Error as error:
        raise Reject(f"line {reader.line_num} cannot be read as CSV: {error}") from error
    if width > MOST_COLUMNS:
        raise Reject(f"the table has {width} columns; the limit is {MOST_COLUMNS}")
    if len(rows) > MOST_ROWS:
        raise Reject(f"the table has more than {MOST_ROWS:,} rows")
    return [name.strip() or f"column_{place}" for place, name in enumerate(names, 1)], rows


def _texts(cells: Sequence[str]) -> pl.Series:
    """Return the cells of a column, null where they are missing."""
    texts = pl.Series(cells, dtype=pl.String).str.strip_chars()
    return texts.set(texts.str.to_lowercase().is_in(MISSING), None)


def _typed(column: pl.Series) -> pl.Series:
    """Return a column of texts in the narrowest type that keeps all its values."""
    present = column.drop_nulls()

    def fits(pattern: str) -> bool:
        return bool(present.str.contains(pattern).all())

    if present.is_empty():
        return column.cast(pl.Null)
    if fits(INTEGER):
        return column.str.strip_prefix("+").cast(pl.Int64)
    if fits(NUMBER):
        numbers = column.str.strip_prefix("+").cast(pl.Float64)
        return numbers if numbers.abs().max() < LARGEST else column
    if fits(BOOLEAN):
        return column.str.to_lowercase().is_in(["true", "yes"])
    if fits(DATE) or fits(TIME):
        kind = pl.Date if fits(DATE) else pl.Datetime
        pattern = "%Y-%m-%d" if fits(DATE) else "%Y-%m-%d %H:%M:%S"
        moments = column.str.replace("T", " ").str.strptime(kind, pattern, strict=False)
        return moments if moments.null_count() == column.null_count() else column
    return column


def _profile(name: str, column: pl.Series, *, is_drawn: bool) -> Column:
    kind = _type_of(column)
    present = column.drop_nulls()
    top = _top(present)
    chart = None
    if is_drawn and kind in {"integer", "number"}:
        chart = _histogram(name, present)
    elif is_drawn and kind in {"boolean", "text"}:
        chart = _bars(name, top)
    return Column(
        name=_cut(name, LONGEST_VALUE),
        type=kind,
        count=present.len(),
        missing=column.null_count(),
        distinct=present.n_unique(),
        numbers=_numbers(present) if kind in {"integer", "number"} else None,
        moments=_moments(present) if kind in {"date", "time"} else None,
        top=top,
        chart=chart,
    )


def _type_of(column: pl.Series) -> Type:
    types: dict[type[pl.DataType], Type] = {
        pl.Null: "empty",
        pl.Int64: "integer",
        pl.Float64: "number",
        pl.Boolean: "boolean",
        pl.Date: "date",
        pl.Datetime: "time",
    }
    return types.get(column.dtype.base_type(), "text")


def _numbers(present: pl.Series) -> Numbers:
    numbers = present.cast(pl.Float64)
    low, first, middle, third, high = (
        float(numbers.quantile(share, "linear")) for share in (0, 0.25, 0.5, 0.75, 1)
    )
    stdev = numbers.std()
    return Numbers(
        min=low,
        q1=first,
        median=middle,
        q3=third,
        max=high,
        mean=float(numbers.mean()),
        stdev=None if stdev is None else float(stdev),
    )


def _moments(present: pl.Series) -> Moments:
    return Moments(earliest=present.min().isoformat(), latest=present.max().isoformat())


def _top(present: pl.Series) -> list[Top]:
    """Return the most frequent values; those that are as frequent stand in their own order."""
    if present.is_empty():
        return []
    counts = pl.DataFrame({"value": present}).group_by("value").len("count")
    ordered = counts.sort("count", "value", descending=[True, False]).head(TOP)
    return [Top(value=_shown(value), count=count) for value, count in ordered.iter_rows()]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _cut(value.isoformat() if hasattr(value, "isoformat") else str(value), LONGEST_VALUE)


def _histogram(name: str, present: pl.Series) -> bytes | None:
    figure = Figure(figsize=(4.8, 2.7), layout="constrained")
    axes = figure.add_subplot()
    bins = min(MOST_BINS, present.n_unique())
    try:
        axes.hist(present.cast(pl.Float64).to_numpy(), bins=bins, edgecolor="white")
    except ValueError:  # numbers that lie too close to each other to be told apart
        return None
    axes.set_title(_label(name))
    return _png(figure)


def _bars(name: str, top: list[Top]) -> bytes:
    figure = Figure(figsize=(4.8, 2.7), layout="constrained")
    axes = figure.add_subplot()
    axes.barh(range(len(top)), [each.count for each in top])
    axes.set_yticks(range(len(top)), [_label(each.value) for each in top])
    axes.invert_yaxis()
    axes.set_title(_label(name))
    return _png(figure)


def _png(figure: Figure) -> bytes:
    target = BytesIO()
    figure.savefig(target, format="png", dpi=100)
    return target.getvalue()


def _label(text: str) -> str:
    """Return a text that fits beside a bar: one line of what can be drawn."""
    return _cut(re.sub(r"[\s\x00-\x1f]+", " ", text), LONGEST_LABEL)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
