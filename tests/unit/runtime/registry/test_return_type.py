"""Results are what the annotation says, or are made that, or end the attempt."""

from __future__ import annotations

import pytest

from penstock import Context
from runtime.errors import ResultNotSerializableError

PREAMBLE = """
import collections, dataclasses, datetime as dt, enum
from decimal import Decimal
from typing import *
from typing_extensions import TypedDict
from pydantic import *
class Login(BaseModel):
    user: str = Field(alias='User')
    password: SecretStr = SecretStr('x')
class Doc(BaseModel):
    data: bytes = b'\\xff\\xfe\\xfb'
class Opts(TypedDict, total=False):
    a: Required[int]
    b: str
class Pair(NamedTuple):
    x: int
    data: bytes
@dataclasses.dataclass
class Plain:
    data: bytes
    doc: Doc
class Counted(BaseModel):
    counts: dict[int | str, int] = {1: 1, '1': 2}
class Sent(BaseModel):
    user_id: int = Field(serialization_alias='userId')
class Renamed(BaseModel):
    n: int = Field(validation_alias=AliasChoices('a', AliasPath('b', 0)), serialization_alias='c')
class Color(enum.Enum):
    RED = 'red'
"""

LOGIN = b'{"User":"ada","password":"**********"}'


@pytest.mark.parametrize(
    ("annotation", "value", "written"),
    [
        (
            "Login",
            "{'User': 'ada', 'password': 's3cret'}",
            b'{"User":"ada","password":"**********"}',
        ),
        ("Login", "{'user': 'ada'}", LOGIN),
        ("list[Login]", "[{'user': 'ada'}]", b"[%b]" % LOGIN),
        ("dict[str, Login | None]", "{'a': None}", b'{"a":null}'),
        ("Sent", "{'userId': 1}", b'{"userId":1}'),
        ("Sent", "{'user_id': 1}", b'{"userId":1}'),
        ("list[Sent]", "[{'userId': 1}]", b'[{"userId":1}]'),
        ("Renamed", "{'a': 1}", b'{"c":1}'),
        ("Renamed", "{'b': [1]}", b'{"c":1}'),
        ("Renamed", "{'c': 1}", b'{"c":1}'),
        ("Renamed", "{'n': 1}", b'{"c":1}'),
        ("Doc", "{'data': b'\\xff\\xfe\\xfb'}", b'{"data":"//77"}'),
        ("list[int]", "(1, 2)", b"[1,2]"),
        ("tuple[int, str]", "[1, 'a']", b'[1,"a"]'),
        ("set[int]", "[1, 1]", b"[1]"),
        ("Iterable[int]", "[1, 2]", b"[1,2]"),
        ("Decimal", "5", b'"5"'),
        ("Decimal", "Decimal('1.50')", b'"1.50"'),
        ("float", "3", b"3.0"),
        ("Color", "'red'", b'"red"'),
        ("dt.date", "'2026-11-22'", b'"2026-11-22"'),
        ("Opts", "{'a': 1, 'more': 2}", b'{"a":1}'),
        ("Pair", "Pair(1, b'\\xff\\xfe\\xfb')", b'[1,"//77"]'),
        ("bytes | None", "b'raw'", b"raw"),
        ("Annotated[int, BeforeValidator(int)]", "5", b"5"),
    ],
)
def test_what_can_be_meant_is_made_what_is_said(result, annotation, value, written):
    assert result(annotation, value) == written


@pytest.mark.parametrize(
    ("annotation", "value", "place"),
    [
        ("int", "'5'", "result: "),
        ("int", "1.5", "result: "),
        ("str", "5", "result: "),
        ("str", "b'raw'", "result: "),
        ("None", "5", "result: "),
        ("list[int]", "[1, 'x']", "result[1]: "),
        ("Login", "{'user': 5}", "result['user']: "),
        ("Login", "{}", "result['User']: "),
        ("dict[str, Doc]", "{'a': {'data': 5}}", "result['a']['data']: "),
        ("Opts", "{}", "result['a']: "),
        ("Literal['a']", "'b'", "result: "),
        ("Annotated[int, Field(gt=0)]", "0", "result: "),
        ("Annotated[list[int], Field(max_length=1)]", "[1, 2]", "result: "),
        ("Color", "'blue'", "result: "),
    ],
)
def test_what_is_something_else_ends_the_attempt_and_says_where(result, annotation, value, place):
    with pytest.raises(ResultNotSerializableError, match="declared return type") as refused:
        result(annotation, value)

    assert f"return type: {place}" in str(refused.value)


def test_an_item_that_is_something_else_ends_the_attempt(load_source):
    source = f"{PREAMBLE}def sample() -> Iterator[int]:\n    yield 1\n    yield 'x'\n"
    [function] = load_source(source).values()

    with pytest.raises(ResultNotSerializableError, match=r"return type: result\[1\]: "):
        function.call(b"{}", context=Context())


@pytest.mark.parametrize("annotation", ["", "Any", "dict", "dict[str, Any]", "object"])
def test_bytes_within_anything_are_written_in_one_way(result, annotation):
    value = "{'a': [Doc()], 'b': Plain(b'\\xff\\xfe\\xfb', Doc()), 'c': b'\\xff\\xfe\\xfb'}"
    doc = b'{"data":"//77"}'

    assert result(annotation, value) == (
        b'{"a":[%b],"b":{"data":"//77","doc":%b},"c":"//77"}' % (doc, doc)
    )


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("", "{1: 1, '1': 2}"),
        ("", "{True: 1, 'true': 2}"),
        ("", "[{None: 1, 'None': 2}]"),
        ("", "{'a': Counted()}"),
        ("dict", "{1: 1, '1': 2}"),
        ("dict[int | str, int]", "{1: 1, '1': 2}"),
        ("dict[Any, Any]", "{True: 1, 'true': 2}"),
        ("Counted", "Counted()"),
    ],
)
def test_two_keys_that_are_one_in_json_are_refused(result, annotation, value):
    with pytest.raises(ResultNotSerializableError, match="the same key twice"):
        result(annotation, value)


@pytest.mark.parametrize("annotation", ["", "int", "Any"])
def test_a_number_longer_than_arguments_may_have_is_refused(result, annotation):
    assert result(annotation, "10**4299") == b"1" + b"0" * 4299

    with pytest.raises(ResultNotSerializableError, match="more than 4300 digits"):
        result(annotation, "10**4300")


def test_it_is_told_where_a_number_is_too_long(result):
    with pytest.raises(ResultNotSerializableError, match=r"result\['a'\]\[1\] has more than 4300"):
        result("", "{'a': [1, -10**5000]}")
