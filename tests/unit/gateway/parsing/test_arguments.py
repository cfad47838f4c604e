"""From bodies of all kinds to an argument object."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from gateway.parsing.arguments import RawRequest, read_arguments
from gateway.problems import ProblemError
from runtime.access.api_key import generate_key_text
from runtime.registry.manifest import Manifest

PICTURE = Manifest(
    name="picture",
    version="1",
    file="picture.py",
    parameters={
        "properties": {
            "image": {"type": "string", "contentEncoding": "base64"},
            "width": {"type": "integer"},
            "title": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "sizes": {"type": "array"},
            "anything": {},
        }
    },
    bytes_parameters=("image",),
    raw_parameter="image",
)
PLAIN = Manifest(name="plain", version="1", file="plain.py", parameters={"properties": {"a": {}}})
HOOK = Manifest(name="hook", version="1", file="h.py", injected={"request": "request"})
MIXED = Manifest(
    name="mixed",
    version="1",
    file="m.py",
    parameters={"properties": {"a": {}}},
    injected={"request": "request"},
)


def incoming(body: bytes, content_type: str = "application/json", **more) -> RawRequest:
    fields = {"method": "POST", "path": "/functions/x", "query": "", "headers": []}
    return RawRequest(**{**fields, **more}, content_type=content_type, body=body)


def form(**fields: bytes) -> RawRequest:
    parts = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), data)
        for name, data in fields.items()
    )
    return incoming(parts + b"--b--\r\n", "multipart/form-data; boundary=b")


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/json;"]
)
def test_json_is_kept_byte_for_byte(content_type):
    body = b' {"a" : 1.0} '

    sourced = read_arguments(PLAIN, incoming(body, content_type))

    assert (sourced.encoded, sourced.decoded) == (body, {"a": 1.0})


def test_no_body_is_an_empty_object():
    assert read_arguments(PLAIN, incoming(b"", "")).encoded == b"{}"


def test_a_raw_body_is_the_raw_parameter_unless_it_is_json():
    raw = read_arguments(PICTURE, incoming(b"\x00\xff", "image/png"))
    as_json = read_arguments(PICTURE, incoming(b'{"image": ""}'))

    assert raw.decoded == {"image": base64.b64encode(b"\x00\xff").decode()}
    assert json.loads(raw.encoded) == raw.decoded
    assert as_json.decoded == {"image": ""}


def test_text_of_a_form_is_json_only_where_the_schema_wants_no_text():
    sourced = read_arguments(
        PICTURE,
        form(
            image=b"\xff", width=b"12", title=b"12", sizes=b"[1, 2]", anything=b"true", other=b"x"
        ),
    )

    assert sourced.decoded == {
        "image": "/w==",
        "width": 12,
        "title": "12",
        "sizes": [1, 2],
        "anything": True,
        "other": "x",
    }


def test_text_that_is_not_json_stays_text_for_the_schema_to_judge():
    assert read_arguments(PICTURE, form(width=b"wide")).decoded == {"width": "wide"}


def test_text_that_is_not_utf_8_is_refused_with_its_name():
    with pytest.raises(ProblemError) as caught:
        read_arguments(PICTURE, form(title=b"\xff"))

    assert caught.value.errors[0].pointer == "/title"


def test_another_media_type_is_refused():
    with pytest.raises(ProblemError) as caught:
        read_arguments(PLAIN, incoming(b"a: 1", "application/yaml"))

    assert caught.value.code == "unsupported_media_type"
    assert "application/json" in caught.value.detail


def test_a_request_is_recorded_without_credentials():
    headers = [
        (b"x-event", b"push"),
        (b"x-event", b"again"),
        (b"cookie", b"shop=7; penstock_session=secret"),
        (b"authorization", b"secret"),
        (b"proxy-authorization", b"secret"),
    ]

    sourced = read_arguments(
        HOOK, incoming(b"\xff raw", "text/plain", headers=headers, query="a=1&a=2&b")
    )

    request = json.loads(sourced.request or b"")
    assert sourced.decoded == {}
    assert b"secret" not in (sourced.request or b"")
    assert {name.lower(): value for name, value in request["headers"].items()} == {
        "x-event": "push, again",
    }
    shown = read_arguments(
        HOOK, replace(incoming(b"", "text/plain", headers=headers), shows_cookies=True)
    )
    assert json.loads(shown.request or b"")["headers"]["cookie"] == "shop=7"
    assert request["query"] == {"a": ["1", "2"], "b": ""}
    assert base64.b64decode(request["body"]) == b"\xff raw"


@pytest.mark.parametrize("shown", ["Token {}", "{}", 'Bearer "{}"', "Bearer eyJ.x.y, Bearer {}"])
def test_a_key_of_ours_is_withheld_however_it_is_shown(shown: str):
    key = generate_key_text().write()
    headers = [(b"authorization", shown.format(key).encode()), (b"authorization", b"Bearer eyJ")]

    sourced = read_arguments(
        HOOK, replace(incoming(b"x", "text/plain", headers=headers), shows_authorization=True)
    )

    assert json.loads(sourced.request or b"")["headers"] == {"authorization": "Bearer eyJ"}


def test_a_request_with_further_parameters_takes_them_from_a_json_body():
    assert read_arguments(MIXED, incoming(b'{"a": 1}')).decoded == {"a": 1}
    assert read_arguments(MIXED, incoming(b"a=1", "text/plain")).decoded == {}
    assert read_arguments(HOOK, incoming(b"[broken")).encoded == b"{}"
