"""Prefer is a wish, a query parameter is an order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.parsing.preferences import (
    LONGEST_WAIT_S,
    Preferences,
    read_preferences,
    read_query,
    read_query_lists,
)
from gateway.problems import ProblemError
from gateway.routing.operation import QueryParameter


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("wait=10", 10),
        ('wait="10"', 10),
        ("WAIT = 7", 7),
        ("respond-async, wait=5", 5),
        ('handling=lenient; x="a,b", wait=3;y', 3),
        (",, wait=2", 2),
        ("wait=5, wait=9", 5),
        ("wait=100000000000000000000", LONGEST_WAIT_S),
        ('garbage"", wait=4', 4),
        ("wait=0", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=٣", 0),
        ("waits=3", 0),
        ('"wait=3"', 0),
        ("", 0),
    ],
)
def test_wait_is_read_as_rfc_7240_says(header, wait_s):
    assert read_preferences(header).wait_s == wait_s


def test_what_was_applied_is_said():
    assert Preferences(wait_s=3).applied == "wait=3"
    assert read_preferences("respond-async").applied == "respond-async"
    assert read_preferences("nonsense").applied == ""


@given(st.text())
def test_no_header_is_bad_enough_to_fail(header):
    assert 0 <= read_preferences(header).wait_s <= LONGEST_WAIT_S


def test_known_parameters_are_read():
    assert read_query("a=1&b=%C3%A9", ["a", "b"]) == {"a": "1", "b": "é"}
    assert read_query("", ["a"]) == {}


@pytest.mark.parametrize(
    ("query", "pointers"),
    [("c=1", ["?c"]), ("a=1&a=2", ["?a"]), ("c&d", ["?c", "?d"]), ("=", ["?"])],
)
def test_unknown_and_repeated_parameters_are_all_named(query, pointers):
    with pytest.raises(ProblemError) as caught:
        read_query(query, ["a", "b"])

    assert [fault.pointer for fault in caught.value.errors] == pointers


def test_what_the_route_knows_is_said():
    with pytest.raises(ProblemError, match="here are: a, b"):
        read_query("x=1", ["a", "b"])


def test_a_parameter_may_be_given_as_often_as_it_says():
    tag = [QueryParameter("tag", "", most=2)]

    assert read_query_lists("tag=a&tag=b", tag) == {"tag": ["a", "b"]}
    with pytest.raises(ProblemError, match="more than 2 times"):
        read_query_lists("tag=a&tag=b&tag=c", tag)
