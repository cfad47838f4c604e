"""A cursor holds for one list, one set of filters and one day."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.parsing.pagination import (
    CURSOR_KEPT_S,
    list_name,
    read_cursor,
    read_paging,
    write_cursor,
)

LIST = list_name("/invocations", {"status": "failed", "function": "f"})
NOW_S = 1_800_000_000


@given(st.lists(st.text(max_size=40), max_size=3))
def test_what_was_written_is_read(position):
    cursor = write_cursor(LIST, position, now_s=NOW_S)

    assert read_cursor(LIST, cursor, now_s=NOW_S + 5) == tuple(position)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?#%")


def test_another_list_does_not_know_it():
    cursor = write_cursor(LIST, ("x",), now_s=NOW_S)
    others = [
        list_name("/invocations", {"status": "failed"}),
        list_name("/invocations", {"status": "failed", "function": "g"}),
        list_name("/deliveries", {"status": "failed", "function": "f"}),
    ]

    assert list_name("/invocations", {"function": "f", "status": "failed"}) == LIST
    assert [read_cursor(other, cursor, now_s=NOW_S) for other in others] == [None] * 3


def test_it_grows_stale():
    cursor = write_cursor(LIST, ("x",), now_s=NOW_S)

    assert read_cursor(LIST, cursor, now_s=NOW_S + CURSOR_KEPT_S) == ("x",)
    assert read_cursor(LIST, cursor, now_s=NOW_S + CURSOR_KEPT_S + 1) is None


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda b: b.hex()))
def test_what_was_made_up_is_refused(text):
    assert read_cursor(LIST, text, now_s=NOW_S) is None


def test_a_page_is_asked_for_strictly():
    faults = []

    for limit in ("", "0", "101", "-1", "1.0", "٣", "1e1", "9" * 7):
        read_paging("/x", {"limit": limit}, faults)
    paging = read_paging("/x", {"limit": "100", "a": "b"}, [])

    assert [fault.pointer for fault in faults] == ["?limit"] * 8
    assert (paging.limit, paging.after, paging.filters) == (100, (), {"a": "b"})
