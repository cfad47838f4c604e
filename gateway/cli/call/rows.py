"""The rows of a file to call a function with: NDJSON, a JSON array, or CSV with a header.

Used by `batch`. Each row becomes one line of JSON and keeps its place in the file, so that
messages about it can name the place.
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
from gateway.cli.errors import UsageError
from penstock.client.batch_parts import cut_parts

_LONGEST_CELL = 1_048_576
_DELIMITERS = ",;\t"
_BOM = b"\xef\xbb\xbf"
_SNIFFED_BYTES = 65_536


class RowFormat(StrEnum):
    """The format of a file with rows."""

    NDJSON = "ndjson"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One call: its arguments as one line of JSON, and its place in the file."""

    body: bytes
    place: str


def guess_format(name: str, file: BinaryIO) -> RowFormat:
    """Return the format, from the file's extension if it is CSV's, else from its first bytes."""
    if Path(name).suffix.lower() in {".csv", ".tsv"}:
        return RowFormat.CSV
    file.seek(0)
    head = file.read(_SNIFFED_BYTES).removeprefix(_BOM).lstrip()
    if head.startswith(b"["):
        return RowFormat.JSON
    return RowFormat.NDJSON if head.startswith(b"{") else RowFormat.CSV


def read_rows(file: BinaryIO, row_format: RowFormat, parameters: dict[str, Any]) -> Iterator[Row]:
    """Yield the rows of a file, from its start.

    Args:
        file: The file; it is rewound first.
        row_format: Its format.
        parameters: The JSON Schema of the function's arguments, used to type CSV cells.

    Raises:
        CommandError: A row cannot be read; the message says which.
    """
    file.seek(0)
    if row_format is RowFormat.NDJSON:
        yield from _read_lines(file)
    elif row_format is RowFormat.JSON:
        yield from _read_array(file)
    else:
        yield from _read_csv(file, parameters)


def cut_batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield the rows in lists that fit into one batch each."""
    return cut_parts(rows, size_of=lambda row: len(row.body))


def _read_lines(file: BinaryIO) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        body = line.removeprefix(_BOM).strip() if number == 1 else line.strip()
        if not body:
            continue
        try:
            json.loads(body)
        except ValueError as error:
            raise UsageError(
                f"line {number} is not JSON ({error}); each line must be an object"
            ) from None
        yield Row(body=body, place=f"line {number}")


def _read_array(file: BinaryIO) -> Iterator[Row]:
    try:
        items = json.loads(file.read())
    except ValueError as error:
        raise UsageError(f"the file is not JSON ({error})") from None
    if not isinstance(items, list):
        raise UsageError("the file is not an array of objects")
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
            raise UsageError(
                f"the header {first.strip()!r} must name each column, and each only once"
            )
        before = reader.line_num
        for cells in reader:
            place, before = f"line {before + 1}", reader.line_num
            if len(cells) > len(header):
                raise UsageError(f"{place} has {len(cells)} cells, the header {len(header)}")
            if cells:
                yield Row(body=_encode(_typed(header, cells, parameters)), place=place)
    except UnicodeDecodeError as error:
        raise UsageError(f"the file is not UTF-8 ({error.reason} at byte {error.start})") from None
    except csv.Error as error:
        raise UsageError(f"the file is not CSV ({error})") from None
    finally:
        text.detach()  # leaves the file open; the caller closes it


def _typed(header: list[str], cells: list[str], parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a CSV line's arguments; an empty cell is left out, so that the default applies."""
    return {
        name: read_text(name, cell, parameters)
        for name, cell in zip(header, cells, strict=False)
        if cell
    }


def _encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
