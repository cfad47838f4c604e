"""From words on the command line to the arguments a schema asks for."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from gateway.cli.call.arguments import parse_arguments
from gateway.cli.errors import CommandError, ExitCode

SCHEMA = {
    "properties": {
        "name": {"type": "string"},
        "times": {"type": "integer"},
        "loud": {"type": "boolean"},
        "tags": {"type": "array"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "image": {"type": "string", "format": "base64"},
        "colour": {"$ref": "#/$defs/Colour"},
    },
    "$defs": {"Colour": {"enum": ["red", "1"]}},
}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("name=Ada", {"name": "Ada"}),
        ("name=5", {"name": "5"}),
        ("name=", {"name": ""}),
        ("name=a=b", {"name": "a=b"}),
        ("times=5", {"times": 5}),
        ("times=many", {"times": "many"}),
        ("loud=true", {"loud": True}),
        ('tags=["a", 1]', {"tags": ["a", 1]}),
        ("note=5", {"note": "5"}),
        ("note=null", {"note": None}),
        ("limit=null", {"limit": None}),
        ("colour=1", {"colour": "1"}),
        ("unknown=5", {"unknown": 5}),
        ("unknown=Ada", {"unknown": "Ada"}),
    ],
)
def test_a_value_is_json_where_the_schema_takes_other_than_text(word, expected):
    assert parse_arguments([word], SCHEMA) == expected


def test_a_file_is_base64_where_the_schema_asks_for_bytes(tmp_path: Path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n")

    arguments = parse_arguments([f"image=@{picture}"], SCHEMA)

    assert base64.b64decode(arguments["image"]) == b"\x89PNG\r\n"


def test_a_file_is_its_text_elsewhere(tmp_path: Path):
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Ada", encoding="utf-8")
    numbers = tmp_path / "numbers.json"
    numbers.write_text("[1, 2]", encoding="utf-8")

    arguments = parse_arguments([f"name=@{letter}", f"tags=@{numbers}"], SCHEMA)

    assert arguments == {"name": "Dear Ada", "tags": [1, 2]}


@pytest.mark.parametrize("words", [["name"], ["=x"], ["name=a", "name=b"], ["name=@/no/such/file"]])
def test_what_is_no_argument_is_a_wrong_use(words):
    with pytest.raises(CommandError) as caught:
        parse_arguments(words, SCHEMA)

    assert caught.value.exit_code == ExitCode.USAGE
