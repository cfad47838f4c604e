"""Iterators give their items once: no result loses them by being written a second time."""

from __future__ import annotations

import pytest

from runtime.errors import ResultNotSerializableError

PREAMBLE = """
import dataclasses
from typing import *
from pydantic import BaseModel
class Counted(BaseModel):
    numbers: Iterable[int]
@dataclasses.dataclass
class Plain:
    numbers: Iterable[int]
class Pair(NamedTuple):
    x: Iterable[int]
    y: int
class Rows(BaseModel):
    rows: list[int]
"""


@pytest.mark.parametrize(
    ("annotation", "value", "written"),
    [
        ("list[int]", "map(int, '12')", b"[1,2]"),
        ("list[tuple[int, str]]", "zip([1, 2], 'ab')", b'[[1,"a"],[2,"b"]]'),
        ("Sequence[int]", "reversed([1, 2])", b"[2,1]"),
        ("list[list[int]]", "(iter([n]) for n in [1, 2])", b"[[1],[2]]"),
        ("list", "filter(None, [0, 3])", b"[3]"),
        ("Counted", "Counted(numbers=map(int, '12'))", b'{"numbers":[1,2]}'),
        ("dict[str, Counted]", "{'a': Counted(numbers=iter([1]))}", b'{"a":{"numbers":[1]}}'),
        ("Counted", "{'numbers': iter([1, 2])}", b'{"numbers":[1,2]}'),
        ("Plain", "Plain(iter([1, 2]))", b'{"numbers":[1,2]}'),
        ("Pair", "Pair(iter([1]), 2)", b"[[1],2]"),
        ("dict[str, Iterable[int]]", "{'a': iter([1, 2])}", b'{"a":[1,2]}'),
        ("", "{'a': iter([1, 2]), 'b': b'\\xff\\xfe'}", b'{"a":[1,2],"b":"//4="}'),
        ("dict[str, Any]", "{'a': iter([1, 2])}", b'{"a":[1,2]}'),
    ],
)
def test_all_items_are_in_the_result(result, annotation, value, written):
    assert result(annotation, value) == written


@pytest.mark.parametrize(
    ("annotation", "value", "place"),
    [
        ("dict[str, list[int]]", "{'a': map(int, '12')}", "result['a']"),
        ("list[list[int]]", "[[1], iter([2])]", "result[1]"),
        ("Rows", "{'rows': iter([1])}", "result['rows']"),
        ("Rows", "Rows.model_construct(rows=iter([1]))", "result.rows"),
    ],
)
def test_one_that_was_read_already_is_refused_and_said_where(result, annotation, value, place):
    with pytest.raises(ResultNotSerializableError, match="gives its items only once") as refused:
        result(annotation, value)

    assert str(refused.value).startswith(f"{place} ")
