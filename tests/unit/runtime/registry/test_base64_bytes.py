"""Bytes inside arguments and results: standard base64, in and out and as published."""

from __future__ import annotations

import pytest

from penstock import Context


def call_with_bytes(functions, arguments=b"{}"):
    [function] = functions.values()
    return function.call(arguments, context=Context())


MODELS = """
import dataclasses
from typing import Any
from pydantic import BaseModel, ConfigDict
class M(BaseModel):
    data: bytes
    more: 'list[M]' = []
class Outer(BaseModel): m: M
class Hex(BaseModel):
    model_config = ConfigDict(val_json_bytes='hex', ser_json_bytes='hex')
    data: bytes
@dataclasses.dataclass
class D: data: bytes
"""


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("M", b'{"data":"/+A=","more":[{"data":"/+A=","more":[]}]}'),
        ("list[M]", b'[{"data":"/+A=","more":[]}]'),
        ("Outer", b'{"m":{"data":"/+A=","more":[]}}'),
        ("M | None", b'{"data":"/+A=","more":[]}'),
        ("D", b'{"data":"/+A="}'),
        ("Hex", b'{"data":"ffe0"}'),
        ("list[bytes]", b'["/+A="]'),
        ("dict[str, bytes | int]", b'{"a":"/+A=","b":1}'),
    ],
)
def test_bytes_inside_are_standard_base64_both_ways(load_source, annotation, value):
    functions = load_source(
        f"{MODELS}def sample(v: {annotation}) -> {annotation}:\n"
        "    assert b'\\xff\\xe0' in _bytes(v)\n    return v\n"
        "def _bytes(v):\n"
        "    v = getattr(v, 'm', v)\n"
        "    v = list(v.values()) if isinstance(v, dict) else v\n"
        "    v = v[0] if isinstance(v, list) else v\n"
        "    return [getattr(v, 'data', v)]\n"
    )

    assert call_with_bytes(functions, b'{"v":%b}' % value).result == value


@pytest.mark.parametrize("returns", ["", " -> Any", " -> dict", " -> dict[str, Any]"])
def test_bytes_in_a_result_of_any_kind_are_standard_base64(load_source, returns):
    functions = load_source(
        f"from typing import Any\ndef sample(){returns}: return {{'b': [b'\\xff\\xe0']}}\n"
    )

    assert call_with_bytes(functions).result == b'{"b":["/+A="]}'


def test_bytes_inside_are_published_as_base64(load_source):
    [function] = load_source(
        "from pydantic import BaseModel\n"
        "class M(BaseModel): data: bytes\n"
        "def sample(v: M) -> list[M]: return [v]\n"
    ).values()

    for schema in (function.manifest.parameters, function.manifest.returns):
        data = schema["$defs"]["M"]["properties"]["data"]
        assert (data["type"], data["contentEncoding"]) == ("string", "base64")
        assert "format" not in data
