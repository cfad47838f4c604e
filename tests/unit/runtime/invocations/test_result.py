"""How a response that a function returned is shown in JSON."""

from __future__ import annotations

import msgspec
import pytest

from runtime.invocations.result import decode_result, result_view
from runtime.sdk.response import encode_response


def shown(media_type: str, body: bytes) -> object:
    fields = (("Content-Type", media_type),) if media_type else ()
    view = result_view("response", encode_response(201, fields, body))
    value = msgspec.json.decode(msgspec.json.encode(view))
    assert value["status"] == 201
    return value["body"], value.get("body_encoding")


@pytest.mark.parametrize(
    ("media_type", "body", "expected"),
    [
        ("application/json", b'{"a": 1}', ({"a": 1}, None)),
        ("application/problem+json", b"[1]", ([1], None)),
        ("application/json", b"{broken", ("{broken", None)),
        ("text/html; charset=utf-8", "<ä>".encode(), ("<ä>", None)),
        ("image/png", b"\x89PNG\xff", ("iVBOR/8=", "base64")),
        ("application/octet-stream", b"a\0b", ("YQBi", "base64")),
        ("", b"", ("", None)),
    ],
)
def test_the_body_is_json_text_or_base64(media_type: str, body: bytes, expected: tuple):
    assert shown(media_type, body) == expected


def test_repeated_fields_are_joined():
    view = result_view("response", encode_response(200, (("X", "a"), ("x", "b")), b""))
    assert msgspec.json.decode(msgspec.json.encode(view))["headers"] == {"X": "a, b"}


@pytest.mark.parametrize("damaged", [b"", b"rubbish", b"[1]\n", b"[" * 5000 + b"\n"])
def test_a_damaged_response_is_null(damaged: bytes):
    assert msgspec.json.encode(result_view("response", damaged)) == b"null"


def test_no_bytes_are_not_null():
    assert result_view("bytes", None) == result_view("bytes", b"") == ""
    assert msgspec.json.encode(result_view("json", None)) == b"null"


def test_results_as_python_values():
    assert decode_result("bytes", b"\xff") == b"\xff"
    assert decode_result("json", b"[1]") == [1]
    stored = encode_response(200, (("Content-Type", "application/json"),), b"{}")
    assert decode_result("response", stored)["body"] == {}
