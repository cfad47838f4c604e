"""The rows of files."""

from __future__ import annotations

import io
import json

import pytest

from gateway.cli.call.rows import Row, RowFormat, guess_format, read_rows
from gateway.cli.errors import CommandError, ExitCode

SCHEMA = {
    "properties": {
        "name": {"type": "string"},
        "count": {"type": "integer"},
        "tags": {"type": "array"},
        "on": {"type": "boolean"},
        "may_be": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    }
}


def rows(content: bytes, row_format: RowFormat) -> list[tuple[str, object]]:
    found = read_rows(io.BytesIO(content), row_format, SCHEMA)
    return [(row.place, json.loads(row.body)) for row in found]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"{", RowFormat.CSV),
        ("a.TSV", b"[", RowFormat.CSV),
        ("a.json", b'{"a": 1}\n', RowFormat.NDJSON),
        ("a.txt", b'\xef\xbb\xbf \n[{"a": 1}]', RowFormat.JSON),
        ("-", b"name,count\n", RowFormat.CSV),
    ],
)
def test_the_format_is_seen(name: str, content: bytes, expected: RowFormat):
    file = io.BytesIO(content)
    file.seek(0, io.SEEK_END)

    assert guess_format(name, file) is expected


def test_every_line_of_ndjson_is_sent_as_it_is():
    content = b'\xef\xbb\xbf{"name": "Ada"}\r\n\n{"name":\t"Bob"}'

    found = list(read_rows(io.BytesIO(content), RowFormat.NDJSON, {}))

    assert found == [
        Row(body=b'{"name": "Ada"}', place="line 1"),
        Row(body=b'{"name":\t"Bob"}', place="line 3"),
    ]


def test_items_of_an_array_are_rows():
    content = '[{"name": "Zoë"},\n {"count": 2}]'.encode()

    assert rows(content, RowFormat.JSON) == [
        ("item 1", {"name": "Zoë"}),
        ("item 2", {"count": 2}),
    ]


def test_cells_of_csv_are_what_the_schema_says():
    content = b'name,count,tags\n7,7,"[1, 2]"\nAda,,\n\n"two\nlines",x,\nBob\n'

    assert rows(content, RowFormat.CSV) == [
        ("line 2", {"name": "7", "count": 7, "tags": [1, 2]}),
        ("line 3", {"name": "Ada"}),
        ("line 5", {"name": "two\nlines", "count": "x"}),
        ("line 7", {"name": "Bob"}),
    ]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_are_seen_in_the_header(delimiter: str):
    content = f"name{delimiter}count\nAda, Countess{delimiter}1\n".encode()

    assert rows(content, RowFormat.CSV) == [("line 2", {"name": "Ada, Countess", "count": 1})]


@pytest.mark.parametrize(
    ("content", "row_format", "said"),
    [
        (b'{"a": 1}\n{"a": \n', RowFormat.NDJSON, "line 2 is not JSON"),
        (b"[1", RowFormat.JSON, "not JSON"),
        (b"{}", RowFormat.JSON, "not an array"),
        (b"a,b\n1,2,3\n", RowFormat.CSV, "line 2 has 3 cells, the header 2"),
        (b"a,a\n1,2\n", RowFormat.CSV, "the header 'a,a'"),
        (b"a,\n1,2\n", RowFormat.CSV, "the header 'a,'"),
        (b"a\n\xff\n", RowFormat.CSV, "not UTF-8"),
        (b'a\n"b\n', RowFormat.CSV, "not CSV"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    content: bytes, row_format: RowFormat, said: str
):
    with pytest.raises(CommandError) as caught:
        rows(content, row_format)

    assert said in str(caught.value)
    assert caught.value.exit_code == ExitCode.USAGE


def test_a_file_without_rows_has_none():
    assert rows(b"", RowFormat.CSV) == []
    assert rows(b"\n\n", RowFormat.NDJSON) == []
    assert rows(b"[]", RowFormat.JSON) == []


@pytest.mark.parametrize(
    ("cell", "meant"),
    [("TRUE", True), ("True", True), ("true", True), ("FALSE", False), ("False", False)],
)
def test_booleans_are_read_as_spreadsheets_and_python_write_them(cell: str, meant: bool):
    content = f"name,on,may_be\n{cell},{cell},{cell}\n".encode()

    assert rows(content, RowFormat.CSV) == [
        ("line 2", {"name": cell, "on": meant, "may_be": meant})
    ]


@pytest.mark.parametrize("cell", ["yes", "1", "TRUEISH"])
def test_what_is_no_boolean_is_left_for_the_gateway_to_refuse(cell: str):
    [(_, row)] = rows(f"name,on\na,{cell}\n".encode(), RowFormat.CSV)

    assert not isinstance(row["on"], bool)
