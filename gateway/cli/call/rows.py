"""The rows of a file to call a function with: NDJSON, a JSON array, or CSV with a header.

Used by `batch`. Every row becomes one JSON object on one line and remembers where it
stood, so that whatever is said about it names its place in the file.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from gateway.cli.call.arguments import read_text
from gateway.cli.errors import CommandError, ExitCode

MOST_ROWS = 10_000
MOST_BYTES = 15 * 1_048_576  # a little under what the gateway takes as one batch
_LONGEST_CELL = 1_048_576
_DELIMITERS = ",;\t"
_BOM = b"\xef\xbb\xbf"
_SNIFFED_BYTES = 65_536


class RowFormat(StrEnum):
    """How a file says its rows."""

    NDJSON = "ndjson"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One call: its arguments as JSON on one line, and where they stood."""

    body: bytes
    place: str


def guess_format(name: str, file: BinaryIO) -> RowFormat:
    """Return the format by the file's name, else by how it begins."""
    if Path(name).suffix.lower() in {".csv", ".tsv"}:
        return RowFormat.CSV
    file.seek(0)
    head = file.read(_SNIFFED_BYTES).removeprefix(_BOM).lstrip()
    if head.startswith(b"["):
        return RowFormat.JSON
    return RowFormat.NDJSON if head.startswith(b"{") else RowFormat.CSV


def read_rows(file: BinaryIO, row_format: RowFormat, parameters: dict[str, Any]) -> Iterator[Row]:
    """Yield the rows of a file, from its beginning.

    Args:
        file: Where they stand; rewound first.
        row_format: How.
        parameters: JSON Schema of the function's arguments, for cells of CSV.

    Raises:
        CommandError: A row cannot be read; the text says which.
    """
    file.seek(0)
    if row_format is RowFormat.NDJSON:
        yield from _read_lines(file)
    elif row_format is RowFormat.JSON:
        yield from _read_array(file)
    else:
        yield from _read_csv(file, parameters)


def cut_batches(
    rows: Iterable[Row], *, most: int = MOST_ROWS, most_bytes: int = MOST_BYTES
) -> Iterator[list[Row]]:
    """Yield the rows in lists that a batch may hold."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        if batch and (len(batch) == most or size + len(row.body) + 1 > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += len(row.body) + 1
    if batch:
        yield batch


def _read_lines(file: BinaryIO) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        body = line.removeprefix(_BOM).strip() if number == 1 else line.strip()
        if not body:
            continue
        try:
            json.loads(body)
        except ValueError as error:
            raise _wrong(f"line {number} is not JSON ({error}); every line is one object") from None
        yield Row(body=body, place=f"line {number}")


def _read_array(file: BinaryIO) -> Iterator[Row]:
    try:
        items = json.loads(file.read())
    except ValueError as error:
        raise _wrong(f"the file is not JSON ({error})") from None
    if not isinstance(items, list):
        raise _wrong("the file is not an array of objects")
    for number, item in enumerate(items, 1):
        yield Row(body=_encode(item), place=f"item {number}")


def _read_csv(file: BinaryIO, parameters: dict[str, Any]) -> Iterator[Row]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        first = text.readline()
        text.seek(0)
        delimiter = max(_DELIMITERS, key=first.count)
        csv.field_size_limit(_LONGEST_CELL)
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        header = [name.strip() for name in next(reader, [])]
        if not all(header) or len(set(header)) < len(header):
            raise _wrong(f"the header {first.strip()!r} must name every column, and each once")
        before = reader.line_num
        for cells in reader:
            place, before = f"line {before + 1}", reader.line_num
            if len(cells) > len(header):
                raise _wrong(f"{place} has {len(cells)} cells, the header {len(header)}")
            if cells:
                yield Row(body=_encode(_typed(header, cells, parameters)), place=place)
    except UnicodeDecodeError as error:
        raise _wrong(f"the file is not UTF-8 ({error.reason} at byte {error.start})") from None
    except csv.Error as error:
        raise _wrong(f"the file is not CSV ({error})") from None
    finally:
        text.detach()  # the file is its owner's to close


def _typed(header: list[str], cells: list[str], parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a line's arguments; an empty cell is none, so that the default counts."""
    return {
        name: read_text(name, cell, parameters)
        for name, cell in zip(header, cells, strict=False)
        if cell
    }


def _encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _wrong(text: str) -> CommandError:
    return CommandError(text, exit_code=ExitCode.USAGE)
