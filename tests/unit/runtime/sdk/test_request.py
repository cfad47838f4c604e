"""What a function reads of a request: forms, cookies, and the URL that survives storing."""

from __future__ import annotations

import httpx
import pytest

from penstock import Request
from runtime.sdk.request import FormFile, decode_request, encode_request

EVERY_BYTE = bytes(range(256)) * 3


def as_sent(**content: object) -> Request:
    """Return the request that httpx would send."""
    sent = httpx.Request("POST", "http://x/", **content)
    return Request(headers=dict(sent.headers), body=sent.read())


def test_a_form():
    request = as_sent(data={"a": "1", "b": ["x", "y"], "c": "ä&=+ "})
    assert request.form() == {"a": "1", "b": ["x", "y"], "c": "ä&=+ "}


def test_a_multipart_form_with_a_file_of_any_bytes():
    request = as_sent(
        data={"title": "Größe", "tag": ["a", "b"]},
        files={"image": ("p.png", EVERY_BYTE, "image/png")},
    )
    assert request.form() == {
        "title": "Größe",
        "tag": ["a", "b"],
        "image": FormFile("p.png", "image/png", EVERY_BYTE),
    }


def test_an_uploaded_message_keeps_its_bytes_and_a_part_its_charset():
    body = (
        b'--b\r\nContent-Disposition: form-data; name="mail"; filename="a.eml"\r\n'
        b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nhi\r\n"
        b'--b\r\nContent-Disposition: form-data; name="gr\xc3\xbc\xc3\x9fe"\r\n'
        b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\n\xfc\r\n--b--\r\n"
    )
    request = Request(headers={"Content-Type": "multipart/form-data; boundary=b"}, body=body)
    assert request.form() == {
        "mail": FormFile("a.eml", "message/rfc822", b"Subject: x\r\n\r\nhi"),
        "grüße": "ü",
    }


@pytest.mark.parametrize(
    ("boundary", "body", "said"),
    [
        ("", b"--b--", "needs a boundary"),
        ("; boundary=b", b"rubbish", "before its last boundary"),
        ("; boundary=b", b"--b\r\n\r\nx", "before its last boundary"),
        ("; boundary=b", b"--b\r\nX: y\r\n\r\nx\r\n--b--", "has no name"),
        ("; boundary=b", b"--b\r\n" * 1001 + b"--b--", "more than 1000 parts"),
    ],
)
def test_a_broken_multipart_form_is_refused(boundary: str, body: bytes, said: str):
    request = Request(headers={"Content-Type": f"multipart/form-data{boundary}"}, body=body)
    with pytest.raises(ValueError, match=said):
        request.form()


@pytest.mark.parametrize("media_type", ["application/json", ""])
def test_what_is_no_form_is_refused(media_type: str):
    with pytest.raises(ValueError, match="not a form"):
        Request(headers={"Content-Type": media_type}, body=b"{}").form()


def test_cookies():
    request = Request(headers={"Cookie": 'a=1; b="two"; c'})
    assert request.cookies == {"a": "1", "b": "two", "c": ""}
    assert Request().cookies == {}


def test_everything_survives_storing():
    request = Request(
        method="PUT",
        path="/a/b",
        url="https://example.com/function/f/a/b?q=1",
        headers={"X-A": "1"},
        query={"q": "1"},
        body=EVERY_BYTE,
    )
    again = decode_request(encode_request(request))
    assert (again.method, again.path, again.url, again.body) == (
        "PUT",
        "/a/b",
        "https://example.com/function/f/a/b?q=1",
        EVERY_BYTE,
    )
    assert (dict(again.headers), again.query) == ({"X-A": "1"}, {"q": "1"})
