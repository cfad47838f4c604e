"""The response that a function may return, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import Response
from runtime.sdk.response import decode_response, encode_response


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"raw", "application/octet-stream"),
        ("text", "text/plain; charset=utf-8"),
        ({"a": 1}, "application/json"),
        ([], "application/json"),
        (None, "application/json"),
    ],
)
def test_the_media_type_is_that_of_the_body(body: object, media_type: str):
    assert Response(body).headers["content-type"] == media_type


def test_a_given_media_type_wins_and_is_given_once():
    assert Response("<a/>", media_type="text/xml").headers["Content-Type"] == "text/xml"
    assert Response("a", headers={"content-type": "text/csv"}).headers["Content-Type"] == "text/csv"
    with pytest.raises(ValueError, match="give the media type once"):
        Response("a", headers={"Content-Type": "text/csv"}, media_type="text/xml")


def test_an_empty_response_has_no_media_type():
    assert dict(Response(status=204).headers) == {}


def test_a_redirect():
    moved = Response.redirect("https://example.com/")
    assert (moved.status, dict(moved.headers)) == (302, {"Location": "https://example.com/"})
    assert Response.redirect("/x", status=308).status == 308
    with pytest.raises(ValueError, match="from 301 to 399, not 200"):
        Response.redirect("/x", status=200)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"status": 99}, "from 200 to 599, not 99"),
        ({"status": 100}, "from 200 to 599"),
        ({"status": "200"}, "from 200 to 599, not '200'"),
        ({"status": True}, "from 200 to 599"),
        ({"status": 204, "body": "x"}, "status 204 has no body"),
        ({"headers": {"Content-Length": "3"}}, "gateway sets Content-Length itself"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "gateway sets Transfer-Encoding itself"),
        ({"headers": {"connection": "close"}}, "gateway sets connection itself"),
        ({"headers": {"X Y": "1"}}, "'X Y' is not the name of a header field"),
        ({"headers": {"X": "a\r\nSet-Cookie: b"}}, "write one line"),
        ({"headers": {"X": "\N{SNOWMAN}"}}, "ISO 8859-1"),
        ({"headers": {"X": 3}}, "the value of X is 3"),
        ({"headers": {"X": ["a", 3]}}, "the value of X is 3"),
        ({"headers": {f"X-{n}": "1" for n in range(101)}}, "at most 100 header fields"),
        ({"headers": {"X": "y" * 9000}}, "at most 8192 characters"),
        ({"body": "a", "media_type": "text"}, "not one media type"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_reason(given: dict, said: str):
    with pytest.raises(ValueError, match=said):
        Response(**given)


@given(
    st.integers(200, 599).filter(lambda status: status not in {204, 304}),
    st.lists(
        st.tuples(
            st.from_regex(r"X-[a-z0-9]{1,8}", fullmatch=True),
            st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
        ),
        max_size=5,
    ),
    st.binary(max_size=200),
)
def test_the_stored_form_is_read_back(status: int, fields: list[tuple[str, str]], body: bytes):
    stored = decode_response(encode_response(status, tuple(fields), body))

    assert (stored.status, stored.headers, stored.body) == (status, tuple(fields), body)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no newline",
        b"nonsense\nbody",
        b"[200]\nbody",
        b"[200,{}]\nbody",
        b'[200,[["X"]]]\nbody',
        b'[200,[["X","a\\nb"]]]\nbody',
        b"[99,[]]\nbody",
        b"[204,[]]\nbody",
        b'["200",[]]\nbody',
        b"[200,[]" + b" " * 20_000 + b"]\n",
        b"[" * 5_000 + b"\n",
    ],
)
def test_what_is_no_stored_response_is_refused(data: bytes):
    with pytest.raises((ValueError, RecursionError)):
        decode_response(data)
