"""Numbers become decimals with all their digits, wherever they stand."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import Context
from runtime.errors import ArgumentsError
from runtime.registry.bundle import Bundle
from runtime.registry.exact_decimals import DecimalReader
from runtime.registry.loading import load

SOURCE = """
from decimal import Decimal
from typing import Annotated, Any
from pydantic import BaseModel, Field

class Item(BaseModel):
    price: Decimal
    weight: float = 0.0
    more: 'Item | None' = None

def sample(
    a: Decimal = Decimal(0),
    listed: list[Annotated[Decimal, Field(gt=-10)]] = [],
    named: dict[str, Decimal | None] = {},
    item: Item | None = None,
    either: Decimal | str | None = None,
    f: float | None = None,
    any: Any = None,
):
    return repr([a, listed, named, item, either, f, any])
"""


@pytest.fixture
def read(load_source):
    [function] = load_source(SOURCE).values()

    def call(body: str) -> str:
        return json.loads(function.call(body.encode(), context=Context()).result)

    return call


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"a": 1.234567890123456789}', "Decimal('1.234567890123456789')"),
        ('{"a": 1.50}', "Decimal('1.50')"),
        ('{"a": 1E2}', "Decimal('1E+2')"),
        ('{"a": 12345678901234567890123}', "Decimal('12345678901234567890123')"),
        ('{"a": "1.10"}', "Decimal('1.10')"),
        ('{"listed": [1.5, 1.50]}', "[Decimal('1.50'), Decimal('1.50')]"),
        ('{"named": {"x": 2.50, "y": null}}', "{'x': Decimal('2.50'), 'y': None}"),
        ('{"item": {"price": 2.50, "weight": 2.50}}', "price=Decimal('2.50'), weight=2.5"),
        ('{"item": {"price": 1, "more": {"price": 0.30}}}', "Decimal('0.30')"),
        ('{"either": 1.250}', "Decimal('1.250')"),
        ('{"a": 1.5, "f": 1.234567890123456789, "any": {"b": 1.10}}', "1.1}"),
    ],
)
def test_digits_are_kept(read, body, shown):
    assert shown in read(body)


def test_digits_that_cannot_be_told_apart_are_refused_not_mistaken(read):
    with pytest.raises(ArgumentsError) as refused:
        read('{"listed": [0.1, 0.100000000000000000001], "f": 0.1}')

    assert [fault.pointer for fault in refused.value.faults] == ["/listed/0", "/listed/1"]


@pytest.fixture(scope="module")
def spell():
    source = b"def sample(a: Decimal): return str(a)\n"
    bundle = Bundle(
        root="/nowhere",
        file="sample.py",
        sources={"sample.py": b"from decimal import Decimal\n" + source},
    )
    [function] = load(bundle, namespace="functions_of_decimals").values()
    yield lambda text: function.call(b'{"a":%b}' % text.encode(), context=Context()).result
    function.unload()


@settings(max_examples=200, deadline=None)
@given(number=st.decimals(allow_nan=False, allow_infinity=False, places=None))
def test_any_number_is_the_decimal_that_it_spells(spell, number):
    spelled = format(number, "f") if abs(number.adjusted()) < 300 else f"{number:E}"

    assert Decimal(json.loads(spell(spelled))) == Decimal(spelled)


def test_limits_are_judged_on_the_digits(read):
    with pytest.raises(ArgumentsError) as refused:
        read('{"listed": [1.5, -10.00000000000000000001]}')

    [fault] = refused.value.faults
    assert (fault.pointer, fault.detail) == ("/listed/1", "Input should be greater than -10")


def test_functions_without_decimals_are_read_as_ever(load_source, monkeypatch):
    monkeypatch.setattr(DecimalReader, "__init__", lambda *_: pytest.fail("it is not needed"))

    [function] = load_source("def sample(a: float): return a\n").values()

    assert function.call(b'{"a":1.5}', context=Context()).result == b"1.5"
