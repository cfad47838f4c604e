"""Examples fit the schema they are made for: pydantic takes what people copy."""

# ruff: noqa: D101 - the classes are shapes of arguments

from __future__ import annotations

import datetime
import decimal
import enum
import ipaddress
import pathlib
import re
import subprocess
import sys
import uuid
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, HttpUrl, TypeAdapter

from gateway.cli.up.readiness import example_arguments
from gateway.openapi.examples import example_of
from gateway.openapi.pattern_examples import text_like


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Line(BaseModel):
    sku: Annotated[str, Field(pattern=r"^[A-Z]{3}-\d{4}$")]
    count: Annotated[int, Field(gt=0, multiple_of=5)]


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: Annotated[int, Field(ge=1, le=9)]


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


class Tree(BaseModel):
    value: int
    children: list[Tree] = []


TYPES: list[Any] = [
    *(HttpUrl, uuid.UUID, datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
    *(ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network),
    *(decimal.Decimal, pathlib.Path, Colour, Literal["a", "b"], bool, bytes, int, float, str),
    Annotated[str, Field(pattern="^[a-z0-9-]+$", min_length=6, max_length=8)],
    Annotated[str, Field(pattern=r"^\+[1-9]\d{6,14}$")],
    Annotated[str, Field(pattern=r"(?i)^(de|at|ch)[_-]\w{2}$")],
    Annotated[str, Field(min_length=9)],
    Annotated[str, Field(max_length=2)],
    Annotated[int, Field(gt=10, lt=12)],
    Annotated[int, Field(le=-5)],
    Annotated[int, Field(ge=7, multiple_of=4)],
    Annotated[float, Field(gt=0, lt=1)],
    Annotated[float, Field(lt=0)],
    Annotated[float, Field(gt=0)],
    Annotated[decimal.Decimal, Field(gt=0)],
    Annotated[list[int], Field(min_length=3)],
    Annotated[set[int], Field(min_length=3)],
    Annotated[set[Colour], Field(min_length=2)],
    Annotated[dict[str, int], Field(min_length=2)],
    *(tuple[int, str], list[Line], Line, Cat | Dog, Tree, Line | None, dict[str, Line], list[str]),
    Annotated[Cat | Dog, Field(discriminator="kind")],
    Annotated[str, Field(pattern="^x+$", examples=["xxxx"])],
]


@pytest.mark.parametrize("type_", TYPES, ids=str)
def test_an_example_is_valid(type_: Any):
    adapter = TypeAdapter(dict[Literal["it"], type_])
    schema = TypeAdapter(type_).json_schema(mode="validation")
    definitions = schema.pop("$defs", {})
    parameters = {"properties": {"it": schema}, "required": ["it"], "$defs": definitions}

    made = example_arguments(parameters)

    adapter.validate_json(TypeAdapter(Any).dump_json(made))
    assert made["it"] == example_of(schema, definitions)


def test_the_authors_examples_come_before_everything_made_up_and_before_defaults():
    schema = {"type": "string", "format": "uri", "default": "x", "examples": ["https://a.example/"]}

    assert example_of(schema, {}) == "https://a.example/"


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({"format": "uri", "pattern": "^[hH][tT][tT][pP][sS]?:"}, "https://example.com/"),
        ({"format": "date", "pattern": r"^\d{4}-"}, "2026-11-22"),
        ({"format": "email", "pattern": "^[a-z]+@"}, "ada@example.com"),
        ({"format": "email", "pattern": "^bob@"}, "bob@"),
        ({"format": "uuid", "pattern": "^("}, "0192d3a0-7b1c-7def-8a55-0123456789ab"),
    ],
)
def test_of_a_format_with_a_pattern_the_known_text_is_taken_if_it_fits(schema, made):
    assert example_of({"type": "string", **schema}, {}) == made


@given(
    parts=st.lists(
        st.sampled_from(
            ["a", "[a-f]", r"\d{2,3}", "(x|yy)", "[^a]", r"\w+", "z?", r"\.", "(?:ab)*", "[A-Z_]"]
        ),
        max_size=6,
    ),
    shortest=st.integers(0, 6),
)
def test_a_pattern_has_a_text_that_it_matches(parts: list[str], shortest: int):
    pattern = f"^{''.join(parts)}$"

    text = text_like(pattern, shortest=shortest)

    assert text is None or (re.search(pattern, text) and len(text) >= shortest)
    if not shortest:
        assert text is not None


@pytest.mark.parametrize("pattern", ["(", r"(?P<a>x)(?P=a)", "^(?!a)b$", r"\bword\b"])
def test_a_pattern_too_clever_has_none_or_one_that_fits(pattern: str):
    text = text_like(pattern)

    assert text is None or re.search(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "shortest"),
    [
        (r"(\w+)+!$", 40),
        (r"([a-z]+)*@x\.com$", 45),
        (r"(?:a|a)*!$", 40),
        (r"(a?){40}a{40}!$", 90),
        (r"\w*\w*\w*\w*\w*\w*!$", 900),
        (r"(?=(\w+)+!$)\w", 40),
        ("((a{1000}){1000}){1000}", 0),
        ("a", 10**12),
    ],
)
def test_no_pattern_holds_up_who_asks_for_an_example(pattern: str, shortest: int):
    asked = "import sys; from gateway.openapi.pattern_examples import text_like as like; "
    asked += f"print(like({pattern!r}, shortest={shortest}))"

    answer = subprocess.run(
        [sys.executable, "-c", asked], check=True, stdout=subprocess.PIPE, timeout=20
    )

    assert answer.stdout


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 10**12},
        {"type": "array", "items": {}, "minItems": 10**12},
        {"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "minItems": 10**12},
        {"type": "object", "minProperties": 10**12},
    ],
)
def test_an_example_stays_short_whatever_a_schema_asks_for(schema: dict[str, Any]):
    assert len(example_of(schema, {})) <= 1_000
