"""Every call goes one way: what is shared and remembered shows in nothing that a client reads.

Answers are compared byte for byte: of a head seen for the first time and of one that is remembered,
with each header of production and without, alone and among others.
"""

from __future__ import annotations

import json
import re
import socket
from itertools import count

import pytest

from runtime.store import invocation_commands
from tests.e2e.gateway.test_protocol import RawClient
from tests.support.gateway_process import error_json

BODY = b'{"name":"Ada"}'
TRACE = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
BROWSER = "".join(
    f"{name}: {value}\r\n"
    for name, value in (
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
        ("Accept", "*/*"),
        ("Accept-Language", "en-GB,en;q=0.9"),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Referer", "http://localhost/dashboard"),
        ("Origin", "http://localhost"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Mode", "cors"),
        ("Sec-Fetch-Dest", "empty"),
        ("Cookie", "theme=dark; other=1"),
        ("Cache-Control", "no-cache"),
        ("DNT", "1"),
    )
)
# Headers of production that change nothing of what a caller reads.
SILENT = {
    "trace": TRACE,
    "trace and state": TRACE + "tracestate: a=b,c=d\r\n",
    "a broken trace": "traceparent: nonsense\r\n",
    "browser": BROWSER,
    "proxy": "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Request-Id: 7\r\n",
    "idempotency": "Idempotency-Key: {fresh}\r\n",
    "idempotency in quotes": 'Idempotency-Key: "{fresh}"\r\n',
    "identity": "Content-Encoding: identity\r\n",
    "all": TRACE + "Idempotency-Key: {fresh}\r\n" + BROWSER,
}
ENDS = {
    "": ("", "1.1", None),
    "closes": ("Connection: close\r\n", "1.1", None),
    "1.0 stays": ("Connection: keep-alive\r\n", "1.0", None),
    "1.0": ("", "1.0", None),
    "async": ("Prefer: respond-async\r\n", "1.1", None),
    "waits in vain": ("Prefer: wait=1\r\n", "1.1", None),
    "ends well": ("Prefer: wait=5\r\n", "1.1", {"result": b'"Hello"'}),
    "returns JSON": ("Prefer: wait=5\r\n", "1.1", {"result": b"{}", "result_type": "json"}),
    "fails": (
        "Prefer: wait=5\r\n",
        "1.1",
        {"status": "failed", "error": error_json("exception", "no", exception_type="E")},
    ),
}
_numbers = count()
_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|\w{3}, [^\r]* GMT")
_SPAN = re.compile(rb'"(queued|duration)_ms":\d+|content-length: \d+')


@pytest.fixture
def client(gateway):
    with gateway.connect() as sock:
        yield RawClient(sock)


def request(body: bytes = BODY, *, more: str = "", version: str = "1.1", name="greet") -> bytes:
    head = (
        f"POST /functions/{name} HTTP/{version}\r\nHost: localhost\r\n"
        "Content-Type: application/json\r\n"
    )
    return f"{head}{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def blurred(answer: bytes) -> bytes:
    """An answer without what differs from call to call."""
    return _SPAN.sub(b"#", _MOMENT.sub(b"#", _ID.sub(b"#", answer)))


def read_bare(sock: socket.socket) -> bytes:
    """Read one answer with a body, byte for byte."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    [size] = re.findall(rb"content-length: (\d+)", head)
    while len(body) < int(size):
        body += sock.recv(65_536)
    return head + b"\r\n\r\n" + body


def call_alone(
    gateway, more: str = "", *, body: bytes = BODY, version: str = "1.1", end=None
) -> bytes:
    """Call on a connection of its own; `end` is how the invocation ends."""
    more = more.replace("{fresh}", f"fresh-{next(_numbers)}")
    with gateway.connect() as sock:
        sock.sendall(request(body, more=more, version=version))
        if end is not None:
            gateway.finish(gateway.claim(), **end)
        return read_bare(sock)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("silent", SILENT)
def test_a_header_of_production_changes_nothing_in_the_answer(gateway, silent: str, end: str):
    if silent not in ("trace", "idempotency", "all") and end == "waits in vain":
        return  # a second each
    more, version, how = ENDS[end]
    empty_the_queue(gateway)

    without = call_alone(gateway, more, version=version, end=how)
    with_it = call_alone(gateway, more + SILENT[silent], version=version, end=how)

    assert blurred(with_it) == blurred(without)


@pytest.mark.parametrize("more", ["", TRACE, BROWSER, TRACE + BROWSER + "Prefer: wait=5\r\n"])
@pytest.mark.parametrize(
    "body", [BODY, b"", b"{", b"[]", b'{"name":1}', b'{"name":"a","name":"b"}']
)
def test_a_remembered_head_is_answered_as_one_seen_for_the_first_time(
    gateway, more: str, body: bytes
):
    empty_the_queue(gateway)
    more += f"X-Never-Seen: {next(_numbers)}\r\n"
    end = {"result": b'"Hello"'} if "wait" in more and body == BODY else None

    answers = []
    with gateway.connect() as sock:
        for _ in range(3):
            sock.sendall(request(body, more=more))
            if end is not None:
                gateway.finish(gateway.claim(), **end)
            answers.append(blurred(read_bare(sock)))

    assert answers[1:] == answers[:1] * 2


@pytest.mark.parametrize(
    "media_type",
    ["application/json; charset=utf-8", "application/json;charset=UTF-8", "APPLICATION/JSON"],
)
def test_a_media_type_may_say_more(gateway, media_type: str):
    usual = request()
    other = usual.replace(b"application/json", media_type.encode())

    answers = []
    with gateway.connect() as sock:
        for whole in (usual, other, other):
            sock.sendall(whole)
            answers.append(blurred(read_bare(sock)))

    assert answers[1:] == answers[:1] * 2


@pytest.mark.parametrize("silent", SILENT)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"name":1}', b'{"name":"a","name":"b"}'])
def test_a_header_of_production_changes_nothing_in_a_refusal(gateway, silent: str, body: bytes):
    assert blurred(call_alone(gateway, SILENT[silent], body=body)) == blurred(
        call_alone(gateway, body=body)
    )


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Idempotency-Key: \r\n", "parameter_invalid"),
        ("Idempotency-Key: a\r\nIdempotency-Key: b\r\n", "parameter_invalid"),
        ("X-Callback-Url: http://10.0.0.1/\r\n", "callback_url_invalid"),
        ("X-Callback-Url: nonsense\r\n", "callback_url_invalid"),
        (f"X-Callback-Url: http://[::1/{chr(13)}{chr(10)}", "callback_url_invalid"),
        ("Content-Encoding: gzip\r\n", "unsupported_media_type"),
        ("Sec-Fetch-Site: cross-site\r\n", "cross_site_refused"),
    ],
)
def test_a_header_that_is_wrong_is_refused_each_time(client, header: str, code: str):
    for _ in range(3):
        client.send(request(more=header))

        assert client.read().code == code


def test_a_callback_is_shown_and_nothing_else_changes(gateway):
    url = "http://127.0.0.1:9/hook?a=%25"

    without = call_alone(gateway)
    with_it = call_alone(gateway, f"X-Callback-Url: {url}\r\n")

    assert f'"url":"{url}"'.encode() in with_it
    shown = json.loads(with_it.partition(b"\r\n\r\n")[2])
    usual = json.loads(without.partition(b"\r\n\r\n")[2])
    assert shown.keys() == usual.keys()
    differing = {name for name in usual if shown[name] != usual[name]}
    assert differing <= {"id", "created_at", "callback", "links"}


def test_a_repeated_request_is_answered_with_the_first_whatever_else_it_carries(gateway):
    key = f"Idempotency-Key: again-{next(_numbers)}\r\n"

    first, *others = (call_alone(gateway, key + more) for more in ("", "", TRACE, BROWSER))

    body = first.partition(b"\r\n\r\n")[2]
    assert {json.loads(other.partition(b"\r\n\r\n")[2])["id"] for other in others} == {
        json.loads(body)["id"]
    }
    assert all(b"idempotency-replayed: true" in other for other in others)


def empty_the_queue(gateway) -> None:
    everything = invocation_commands.claim(
        queue="default", worker="w-0", limit=100, lease_ms=60_000
    )
    while gateway.connection.run(everything).items:
        pass
