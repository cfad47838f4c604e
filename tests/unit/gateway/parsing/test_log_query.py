"""The query of OpenFaaS's logs."""

from __future__ import annotations

import pytest

from gateway.parsing.log_query import LogQuery, read_log_query
from gateway.problems import ProblemError


def test_a_name_alone_means_all_lines_of_before():
    assert read_log_query("name=f") == LogQuery(name="f", tail=None, is_followed=False)


@pytest.mark.parametrize(
    ("tail", "lines"),
    [("5", 5), ("0", None), ("-1", None), ("-99", None), ("9" * 40, None), ("000000005", 5)],
)
def test_a_tail_of_nothing_or_less_means_all(tail: str, lines: int | None):
    assert read_log_query(f"name=f&tail={tail}").tail == lines


@pytest.mark.parametrize("text", ["1", "t", "T", "true", "TRUE", "True"])
def test_a_flag_is_written_as_in_go(text: str):
    assert read_log_query(f"name=f&follow={text}").is_followed
    assert not read_log_query("name=f&follow=F").is_followed


def test_a_time_has_any_offset():
    noon = read_log_query("name=f&since=2026-11-30T12:00:00Z").since_ms

    assert read_log_query("name=f&since=2026-11-30T13:00:00%2B01:00").since_ms == noon
    assert noon % 86_400_000 == 43_200_000


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("", ["?name"]),
        ("name=", ["?name"]),
        ("name=f&follow=yes", ["?follow"]),
        ("name=f&tail=a", ["?tail"]),
        ("name=f&tail=--1", ["?tail"]),
        ("name=f&tail=-", ["?tail"]),
        ("name=f&tail=1.5", ["?tail"]),
        ("name=f&since=now", ["?since"]),
        ("follow=2&tail=x&since=y", ["?name", "?follow", "?since", "?tail"]),
    ],
)
def test_all_faults_are_named(query: str, pointers: list[str]):
    with pytest.raises(ProblemError) as caught:
        read_log_query(query)

    assert caught.value.status == 422
    assert [fault.pointer for fault in caught.value.errors] == pointers
