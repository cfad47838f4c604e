"""A result that is one text is written as any other, whatever it looks like."""

from __future__ import annotations

import json
from typing import Annotated

import pytest
from pydantic import PlainSerializer

from runtime.errors import ResultNotSerializableError
from runtime.registry.results import encode_json
from runtime.registry.return_type import return_type

TEXTS = ("NaN", "Infinity null [[", '"{"', "\x00\x1f\x7f\u2028é😀\\", "[" * 100_000, "")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("annotation", [None, str, str | int])
def test_any_text_is_a_result(text: str, annotation: object):
    returns = None if annotation is None else return_type(annotation)

    assert json.loads(encode_json(text, returns=returns)) == text


@pytest.mark.parametrize("returns", [None, return_type(str)])
def test_a_text_with_half_a_character_is_none(returns):
    with pytest.raises(ResultNotSerializableError, match="result"):
        encode_json("x" * 10_000 + "\ud800", returns=returns)


def test_what_a_text_is_turned_into_is_judged_as_what_it_is():
    deep = PlainSerializer(lambda _: json.loads("[" * 70 + "]" * 70))

    with pytest.raises(ResultNotSerializableError, match="levels deep"):
        encode_json("text", returns=return_type(Annotated[str, deep]))
