"""Gateway and runner agree: what the schema lets through, pydantic takes, and the other way.

For many types, and JSON values that are near to fitting.
"""

from __future__ import annotations

import itertools
import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import Context
from runtime.errors import ArgumentsError
from runtime.registry.arguments import check_arguments
from runtime.registry.bundle import Bundle
from runtime.registry.loading import load

PREAMBLE = (
    "import datetime, uuid, enum, decimal, ipaddress, dataclasses, pathlib, re\n"
    "from typing import *\nfrom typing_extensions import TypedDict\nfrom pydantic import *\n"
    "class Color(enum.Enum):\n    RED = 'red'\n    BLUE = 'blue'\n"
    "class Level(enum.IntEnum):\n    LOW = 1\n    HIGH = 2\n"
    "class Item(BaseModel):\n    sku: str\n    count: int = 1\n"
    "class Closed(BaseModel):\n    model_config = ConfigDict(extra='forbid')\n    a: float\n"
    "@dataclasses.dataclass\nclass Point:\n    x: float\n    y: float = 0\n"
    "class Opts(TypedDict, total=False):\n    a: Required[int]\n    b: str\n"
    "class Pair(NamedTuple):\n    a: int\n    b: str\n"
    "class Node(BaseModel):\n    v: int\n    next: 'Node | None' = None\n"
)
# Both verdicts must be the same.
EXACT = [
    "int",
    "float",
    "str",
    "bool",
    "None",
    "Any",
    "object",
    "int | None",
    "int | str",
    "float | int",
    "str | list[int]",
    "bool | int",
    "list[int]",
    "list[Any]",
    "tuple[int, str]",
    "tuple[int, ...]",
    "dict[str, int]",
    "dict[str, list[int | None]]",
    "Color",
    "Item",
    "Closed",
    "Point",
    "Opts",
    "Node",
    "Item | Point",
    "list[Item]",
    "datetime.datetime",
    "datetime.date",
    "datetime.time",
    "datetime.timedelta",
    "uuid.UUID",
    "ipaddress.IPv4Address",
    "ipaddress.IPv6Network",
    "AnyUrl",
    "Annotated[int, Field(gt=0, le=10)]",
    "Annotated[float, Field(ge=0.5)]",
    "Annotated[str, Field(min_length=2, max_length=3)]",
    "Annotated[str, Field(pattern='^[a-c]+$')]",
    "Annotated[list[int], Field(min_length=1, max_length=2)]",
    "PositiveInt",
    "StrictBool",
    "conint(multiple_of=3)",
    "decimal.Decimal",
    "Json",
    "pathlib.PurePath",
]
# What the schema lets through, pydantic takes; pydantic may take more.
NARROWER = [
    "bytes",
    "list[bytes]",
    "dict[int, str]",
    "Literal[1]",
    "Literal['a', 1]",
    "Literal[True, 'x']",
    "Level",
    "Pair",
    "set[int]",
    "frozenset[str]",
    "HttpUrl",
    "re.Pattern",
    "Base64Str",
]
_count = itertools.count()


@cache
def load_type(annotation):
    source = f"{PREAMBLE}def sample(a: {annotation}): return None\n"
    bundle = Bundle(root="/nowhere", file="sample.py", sources={"sample.py": source.encode()})
    return load(bundle, namespace=f"functions_of_agreement_{next(_count)}")["sample"]


TEXTS = [
    "",
    "a",
    "abc",
    "aaaa",
    "red",
    "RED",
    "1",
    "1.0",
    "-1.50",
    "1e3",
    "nan",
    "true",
    "null",
    "x y",
    "aGk=",
    "aGk",
    "_-8=",
    "/+8=",
    "2026-11-22",
    "2026-11-22T09:30:00Z",
    "2026-11-22T09:30:00",
    "2026-11-22 09:30",
    "2026-02-30",
    "09:30",
    "09:30:00+01:00",
    "25:00",
    "P1DT2H",
    "PT",
    "1 days",
    "1700000000",
    "1700000000.5",
    "0192f0c1-2345-7abc-8def-0123456789ab",
    "0192f0c123457abc8def0123456789ab",
    "{0192f0c1}",
    "127.0.0.1",
    "127.1",
    "::1",
    "::/64",
    "http://x",
    "HTTP://x",
    "https://exämple.de/ü",
    "mailto:a@b.c",
    "ftp://x",
    "http://",
    "x",
    "{}",
    "[1]",
    "[1",
    "(",
    "\u0000",
    "\U0001f600",
    "ü",
]
NUMBERS = [0, 1, 2, 3, -1, 1.0, 2.0, 0.5, 1e300, -0.0, 2**63, 2**64, 2**70, -(2**70), 9, 10, 11]
LEAVES = [None, True, False, *NUMBERS, *TEXTS]
NESTED = [
    *([leaf] for leaf in LEAVES),
    *({key: leaf} for key in ("a", "x", "1", "-1", "1.0", "") for leaf in (None, 1, 1.0, "b")),
    [],
    {},
    [1, "x"],
    [1, 1],
    [1, 2, 3],
    [[1], [None]],
    {"sku": "a"},
    {"sku": 1},
    {"sku": "a", "count": 2, "more": 1},
    {"sku": "a", "count": "2"},
    {"a": 1, "b": "x"},
    {"a": 1, "c": 1},
    {"x": 1, "y": "2"},
    {"v": 1, "next": {"v": 2}},
    {"v": 1, "next": {"v": 2.0}},
    {"k": [1, None]},
    {"k": ["1"]},
    [{"sku": "a"}],
    [{"sku": "a"}, {}],
]
VALUES = [*LEAVES, *NESTED]
leaves = st.one_of(st.sampled_from(LEAVES), st.integers(-5, 15), st.text(max_size=3))
keys = st.sampled_from(["a", "b", "x", "y", "sku", "count", "v", "next", "1", "-1", "1.0", ""])
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=5,
)


def gateway_takes(function, arguments):
    try:
        check_arguments(function.manifest, arguments)
    except ArgumentsError:
        return False
    return True


def runner_takes(function, arguments):
    try:
        function.call(json.dumps(arguments).encode(), context=Context())
    except ArgumentsError:
        return False
    return True


@pytest.mark.parametrize("annotation", EXACT)
def test_both_say_the_same_of_every_near_miss(annotation):
    function = load_type(annotation)

    verdicts = [
        (value, gateway_takes(function, {"a": value}), runner_takes(function, {"a": value}))
        for value in VALUES
    ]

    assert [v for v, gateway, runner in verdicts if gateway != runner] == []
    assert any(gateway for _, gateway, _ in verdicts)


@pytest.mark.parametrize("annotation", NARROWER)
def test_nothing_passes_the_gateway_that_the_runner_refuses(annotation):
    function = load_type(annotation)

    passed = [value for value in VALUES if gateway_takes(function, {"a": value})]

    assert passed
    assert [value for value in passed if not runner_takes(function, {"a": value})] == []


@settings(max_examples=300, deadline=None)
@given(annotation=st.sampled_from(EXACT), value=values)
def test_both_say_the_same_of_anything(annotation, value):
    function = load_type(annotation)

    assert gateway_takes(function, {"a": value}) == runner_takes(function, {"a": value})


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("int", "5"),
        ("int", 1.0),
        ("int", True),
        ("float", "1.5"),
        ("bool", 1),
        ("bool", "true"),
        ("str", 5),
        ("list[int]", {"a": 1}),
        ("Item", {"sku": 5}),
        ("Item", {"sku": "a", "count": 2.0}),
    ],
)
def test_nothing_is_coerced(annotation, value):
    function = load_type(annotation)

    assert not gateway_takes(function, {"a": value})
    assert not runner_takes(function, {"a": value})


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("float", 1),
        ("int", 2**70),
        ("datetime.datetime", "2026-11-22T09:30:00Z"),
        ("Color", "red"),
        ("Level", 2),
        ("tuple[int, str]", [1, "x"]),
        ("bytes", "aGk="),
        ("dict[int, str]", {"1": "x"}),
        ("Node", {"v": 1, "next": {"v": 2, "next": None}}),
        ("decimal.Decimal", "1.50"),
        ("decimal.Decimal", 1.5),
    ],
)
def test_what_should_fit_fits(annotation, value):
    function = load_type(annotation)

    assert gateway_takes(function, {"a": value})
    assert runner_takes(function, {"a": value})
