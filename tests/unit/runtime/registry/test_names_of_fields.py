"""A field may have any name, words of the schemas included: it says nothing of its surroundings."""

from __future__ import annotations

import json

import pytest

from penstock import Context
from runtime.errors import ArgumentsError
from runtime.registry.argument_check import check_arguments
from runtime.registry.secret_masking import encode_paths, mask

PREAMBLE = """
import dataclasses
from decimal import Decimal
from typing import *
from typing_extensions import TypedDict
from pydantic import *
"""
SHAPES = {
    "model": "class Shape(BaseModel):\n    {name}: {kind}\n",
    "dataclass": "@dataclasses.dataclass\nclass Shape:\n    {name}: {kind}\n",
    "typed dict": "Shape = TypedDict('Shape', {{'{name}': {kind}}})\n",
}
NAMES = [
    *("type", "default", "metadata", "config", "cls", "expected", "serialization", "function"),
    *("fields", "choices", "ref", "definitions", "items_schema", "enum", "const", "examples"),
    *("properties", "items", "required", "format", "contentSchema", "contentEncoding", "pattern"),
]


@pytest.fixture
def function_of(load_source):
    def make(shape: str, name: str, kind: str):
        source = PREAMBLE + SHAPES[shape].format(name=name, kind=kind)
        body = "def sample(a: Shape) -> Shape: return a\n"
        return load_source(source + body)["sample"]

    return make


def sent(name: str, value: str) -> bytes:
    return b'{"a":{"%b":%b}}' % (name.encode(), value.encode())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_a_field_of_any_name_is_judged_and_read(function_of, shape: str, name: str):
    function = function_of(shape, name, "int")
    good, whole_float = sent(name, "5"), sent(name, "5.0")

    check_arguments(function.manifest, json.loads(good))

    assert function.call(good, context=Context()).result == b'{"%b":5}' % name.encode()
    with pytest.raises(ArgumentsError):
        check_arguments(function.manifest, json.loads(whole_float))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("bytes", '"//79"', b'"//79"'),
        ("dict[str, Any]", '{"b": 1}', b'{"b":1}'),
        ("Decimal", "0.10000000000000000000000001", b'"0.10000000000000000000000001"'),
        ("Iterable[int]", "[1, 2]", b"[1,2]"),
    ],
)
def test_it_is_read_and_written_as_under_any_other(
    function_of, shape: str, name: str, kind: str, value: str, written: bytes
):
    function = function_of(shape, name, kind)

    result = function.call(sent(name, value), context=Context()).result

    assert result == b'{"%b":%b}' % (name.encode(), written)


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_below_it_is_found_where_no_schema_speaks_of_it(load_source, name: str):
    source = f"""{PREAMBLE}
class Login(BaseModel):
    password: SecretStr
class Shape(BaseModel):
    {name}: Login
    @model_validator(mode="before")
    @classmethod
    def _as_it_is(cls, value: Any) -> Any: return value
def sample(a: Annotated[Shape, WithJsonSchema({{"type": "object"}})]): return None
"""
    manifest = load_source(source)["sample"].manifest
    arguments = sent(name, '{"password": "hunter2"}')

    assert b"hunter2" not in mask(arguments, encode_paths(manifest.secrets))
