"""Files written for OpenFaaS's Python templates run as they are."""

from __future__ import annotations

import socket

import pytest

from penstock import Context, Request
from runtime.sdk.response import StoredResponse, decode_response

REQUEST = Request(
    method="PUT",
    path="/a/b",
    headers={"X-Mood": "good"},
    query={"q": "1", "r": ["x", "y"]},
    body="grüß".encode(),
)


@pytest.fixture
def answer(load_source):
    """Load a file and call its function with a request; return its response."""

    def call(source: str, request: Request = REQUEST) -> StoredResponse:
        [function] = load_source(source).values()
        produced = function.call(b"{}", context=Context(), request=request)
        assert produced.result_type == "response"
        return decode_response(produced.result)

    return call


def test_a_handle_of_python3_http_gets_the_event_and_the_context(answer):
    shown = answer(
        "def handle(event, context):\n"
        "    parts = [event.method, event.path, event.headers.get('x-mood'), context.hostname]\n"
        "    parts += [event.query, event.body.decode(), type(event.body).__name__]\n"
        "    return {'body': parts}\n"
    )

    name = socket.gethostname()
    expected = f'["PUT","/a/b","good","{name}",{{"q":"1","r":"x"}},"grüß","bytes"]'
    assert shown.body.decode() == expected


def test_a_handle_of_the_classic_template_gets_the_body_as_text(answer):
    shown = answer("def handle(req):\n    return req.upper()\n")

    assert (shown.status, shown.media_type) == (200, "text/plain; charset=utf-8")
    assert shown.body.decode() == "GRÜSS"


@pytest.mark.parametrize(
    ("value", "status", "media_type", "body"),
    [
        ("None", 200, "", b""),
        ("'text'", 200, "text/plain; charset=utf-8", b"text"),
        ("b'\\xff'", 200, "application/octet-stream", b"\xff"),
        ("{'a': 1}", 200, "application/json", b'{"a":1}'),
        ("[1, 2]", 200, "application/json", b"[1,2]"),
        ("7", 200, "application/json", b"7"),
        ("{'statusCode': 204}", 204, "", b""),
        ("{'statusCode': '418', 'body': 'tea'}", 418, "text/plain; charset=utf-8", b"tea"),
        ("{'body': {'a': [1]}}", 200, "application/json", b'{"a":[1]}'),
        ("{'body': '<p>', 'headers': {'content-type': 'text/html'}}", 200, "text/html", b"<p>"),
        ("('made', 201)", 201, "text/plain; charset=utf-8", b"made"),
        ("({'a': 1}, 400, {'Content-Type': 'text/x'})", 400, "text/x", b'{"a":1}'),
        ("('<p>', 200, [('Content-Type', 'text/html')])", 200, "text/html", b"<p>"),
    ],
)
@pytest.mark.parametrize("parameters", ["event, context", "req"])
def test_what_it_returns_is_read_as_the_templates_read_it(
    answer, parameters: str, value: str, status: int, media_type: str, body: bytes
):
    shown = answer(f"def handle({parameters}):\n    return {value}\n")

    assert (shown.status, shown.media_type, shown.body) == (status, media_type, body)


def test_header_values_become_text_and_repeated_ones_stay(answer):
    shown = answer(
        "def handle(event, context):\n"
        "    return {'headers': [('X-Count', 3), ('Set-Cookie', 'a=1'), ('Set-Cookie', 'b=2')]}\n"
    )

    assert shown.headers == (("X-Count", "3"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))


def test_a_handle_that_is_awaited_is_adapted_too(load_source, answer):
    source = "async def handle(event, context):\n    return event.path\n"
    [function] = load_source(source).values()

    assert answer(source).body == b"/a/b"
    assert function.is_async


def test_its_manifest_is_that_of_a_function_that_takes_the_request(load_source):
    source = "import os\n\n\ndef handle(event, context):\n    '''Say hello.'''\n"

    [function] = load_source(source).values()

    assert function.manifest.name == "sample"
    assert function.manifest.takes_request
    assert function.manifest.parameters["properties"] == {}
    assert function.docstring == "Say hello."
    assert function.line == 4


@pytest.mark.parametrize(
    ("source", "arguments"),
    [
        ("def handle(name: str): return 1\n", ["name"]),
        ("def handle(event, context=None): return 1\n", ["event", "context"]),
        ("def handle(a, b, c): return 1\n", ["a", "b", "c"]),
        ("def handle(event, *, context): return 1\n", ["event", "context"]),
        ("def handle(): return 1\n", []),
        ("from penstock import function\n@function\ndef handle(req): return 1\n", ["req"]),
        ("def sample(req): return 1\ndef handle(req): 1/0\n", ["req"]),
    ],
)
def test_any_other_handle_is_an_ordinary_function(load_source, source: str, arguments: list[str]):
    [function] = load_source(source).values()

    assert list(function.manifest.parameters["properties"]) == arguments
    assert not function.manifest.takes_request


def test_in_a_file_of_that_name_it_is_an_ordinary_function(load_source):
    functions = load_source("def handle(req): return req\n", file="handle.py")

    assert list(functions["handle"].manifest.parameters["properties"]) == ["req"]
