"""read_json_object: as strict as RFC 8259 and our limits, and never mistaken."""

from __future__ import annotations

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.parsing.json_body import read_json_object, read_json_value
from gateway.parsing.json_diagnostics import DEEPEST, find_fault
from gateway.problems import ProblemError

texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.sampled_from([":", '"', "\\", "{", "[", '{"a":1}', "\\u0061", "é", "😀", "\u2028"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
objects = st.dictionaries(texts, values, max_size=5)
separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r\n")])
fragments = st.sampled_from(
    [
        *("{", "}", "[", "]", ":", ",", '"a"', '"b"', '"a:"', '"{"', "1", "-0", "1e5", "0.5"),
        *("true", "null", "NaN", "-Infinity", "01", "+1", "'a'", '"\\u0061"', '"\\ud800"', " "),
        *("\n", "\x0b", "\ufeff", '"\\x"', '"\t"', "1e999", "é", "//", '"\\ud83d\\ude00"'),
    ]
)


def refused_body(body: bytes) -> str:
    with pytest.raises(ProblemError) as caught:
        read_json_object(body)
    assert caught.value.code == "invalid_json"
    return caught.value.detail


@given(objects, separators, st.booleans())
def test_what_json_writes_is_read_back(value, separator, ascii_only):
    body = json.dumps(value, separators=separator, ensure_ascii=ascii_only).encode()

    assert read_json_object(body) == value


@given(st.lists(fragments, max_size=12).map("".join))
def test_it_agrees_with_a_strict_reading_by_the_standard_library(text):
    body = text.encode()
    expected = strict_reading(text)

    if isinstance(expected, dict):
        assert read_json_object(body) == expected
        assert find_fault(body) is None
    else:
        refused_body(body)
        assert find_fault(body) is not None


@given(st.binary(max_size=40))
def test_no_bytes_at_all_raise_anything_else(body):
    with suppress(ProblemError):
        read_json_object(body)


@given(objects, st.data())
def test_a_duplicate_key_is_found_wherever_it_is(value, data):
    inner = data.draw(texts)
    pair = json.dumps({inner: 1})[1:-1]
    body = json.dumps({"outer": [value, {"x": value}]})[:-1] + f', "y": {{{pair}, {pair}}}}}'

    assert "Duplicate key" in refused_body(body.encode())


@pytest.mark.parametrize("opening", ['{"a":', "["])
@pytest.mark.parametrize("depth", [DEEPEST - 1, DEEPEST, 100_000])
def test_depth_is_counted_from_the_outer_object(opening, depth):
    closing = "}" if opening.startswith("{") else "]"
    body = ('{"a":' + opening * depth + "1" + closing * depth + "}").encode()

    if depth < DEEPEST:
        assert read_json_object(body)
    else:
        assert "64 levels" in refused_body(body)


def test_brackets_and_colons_in_strings_do_not_count():
    value = {"a": "{[" * 100, "b": ":" * 100, "c": {'"': "\\"}}

    assert read_json_object(json.dumps(value).encode()) == value


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**64) - 1, 10**400])
def test_big_integers_stay_exact(number):
    assert read_json_object(b'{"n":%d}' % number) == {"n": number}


def test_integers_too_long_to_keep_are_refused():
    assert "out of range" in refused_body(b'{"n":' + b"1" * 5000 + b"}")


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [(b'{"a": 1,\n "b": x}', 2, 7), (b'{"\xc3\xa9\xc3\xa9": x}', 1, 8), (b'{\n\n"a":\xff}', 3, 5)],
)
def test_the_place_is_in_lines_and_characters(body, line, column):
    assert f"line {line}, column {column}" in refused_body(body)


def test_a_single_value_follows_the_same_rules():
    assert read_json_value(b" [1] ") == [1]
    for bad in (b"", b"1, 2", b'1}, {"a":2', b"NaN", b'{"a":1,"a":2}'):
        with pytest.raises(ProblemError):
            read_json_value(bad)


def strict_reading(text: str) -> object:
    """Return what the standard library reads, or None where our rules refuse it."""

    def pairs(found):
        if len(dict(found)) < len(found):
            raise ValueError("duplicate")
        return dict(found)

    def number(digits):
        if math.isinf(float(digits)):
            raise ValueError("infinite")
        return float(digits)

    def constant(word):
        raise ValueError(word)

    try:
        value = json.loads(
            text, object_pairs_hook=pairs, parse_float=number, parse_constant=constant
        )
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


@pytest.mark.parametrize("around", [2_000, 100_000])
@pytest.mark.parametrize("braces", [1, 7, 8, 9, 40])
def test_in_a_long_body_a_key_that_comes_twice_is_found(around: int, braces: int):
    filler = '"filler": "%s"' % ("x" * around)
    objects_ = ", ".join(["{}"] * (braces - 1))

    assert read_json_object(f'{{{filler}, "a": [{objects_}], "b": 1}}'.encode())["b"] == 1
    refused_body(f'{{{filler}, "a": [{objects_}], "a": 1}}'.encode())


@pytest.mark.parametrize("deep", [64, 65])
def test_a_long_body_is_no_deeper_than_a_short_one(deep: int):
    body = b'{"filler": "%b", "a": %b%b}' % (b"x" * 100_000, b"[" * (deep - 1), b"]" * (deep - 1))

    if deep > DEEPEST:
        refused_body(body)
    else:
        assert read_json_object(body)
