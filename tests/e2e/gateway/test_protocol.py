"""HTTP/1.1 on bare sockets: what no well-behaved client library would ever send."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass

import pytest

GREET = b"POST /functions/greet HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@dataclass
class RawAnswer:
    """One response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        assert self.headers["content-type"] == "application/problem+json"
        return str(json.loads(self.body)["code"])


class RawClient:
    """One connection; answers are read one at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.unread = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read(self) -> RawAnswer:
        while b"\r\n\r\n" not in self.unread:
            self._more()
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        size = int(headers.get("content-length", 0))
        while len(self.unread) < size:
            self._more()
        body, self.unread = self.unread[:size], self.unread[size:]
        return RawAnswer(int(first.split()[1]), headers, body)

    def is_closed(self) -> bool:
        assert not self.unread
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def _more(self) -> None:
        data = self.sock.recv(65_536)
        assert data, f"closed after {self.unread!r}"
        self.unread += data


@pytest.fixture
def client(gateway):
    with gateway.connect() as sock:
        yield RawClient(sock)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /livez HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /livez HTTP/2.0\r\nHost: localhost\r\n\r\n",
        b"GET /livez HTTP/0.9\r\nHost: localhost\r\n\r\n",
        b"GET /livez HTTP/2.0\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /livez\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nA b: c\r\n\r\n",
        b"GET /l\xc3\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /livez?q=\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        GREET + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        GREET + b"Transfer-Encoding: gzip\r\n\r\n{}",
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_not_http_is_400_and_closed(client, request_bytes):
    client.send(request_bytes)

    answer = client.read()
    assert (answer.status, answer.code) == (400, "malformed_request")
    assert answer.headers["connection"] == "close"
    assert client.is_closed()


@pytest.mark.parametrize(
    "headers",
    [b"X: " + b"a" * 40_000 + b"\r\n", b"".join(b"X-%d: 1\r\n" % n for n in range(150))],
)
def test_headers_over_the_limit_are_431(client, headers):
    client.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n")

    answer = client.read()
    assert (answer.status, answer.code) == (431, "headers_too_large")


@pytest.mark.parametrize(
    ("request_bytes", "instance"),
    [
        (b"nonsense\r\n\r\n", "/"),
        (b"GET /" + b"a" * 9000, "/"),
        (b"GET /livez?q=1 HTTP/1.1\r\n\r\n", "/livez"),
        (b"GET /a%20b HTTP/2.0\r\nHost: localhost\r\n\r\n", "/a%20b"),
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nY: z\r\nA b: c\r\n\r\n", "/livez"),
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000, "/livez"),
        (GREET + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "/functions/greet"),
        (GREET + b"Content-Length: 2\r\n\r\n{}nonsense\r\n\r\n", "/"),
        (b"CONNECT example.com:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", "/"),
        (b"GET /livez HTTP/1.1\r\n\r\nGET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n", "/livez"),
    ],
)
def test_a_refusal_names_the_path_that_was_read(client, request_bytes, instance):
    client.send(request_bytes)

    while (answer := client.read()).code == "arguments_invalid":
        pass
    assert json.loads(answer.body)["instance"] == instance


def test_headers_without_an_end_are_431(client):
    client.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ")
    client.send(b"a" * 100_000)

    assert client.read().code == "headers_too_large"


def test_a_target_over_the_limit_is_414(client):
    client.send(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert client.read().code == "target_too_long"


def test_a_chunked_body_over_the_limit_is_413_without_reading_the_rest(client):
    client.send(GREET + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    for _ in range(17):
        client.send(chunk)

    answer = client.read()
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert answer.headers["connection"] == "close"
    assert client.is_closed()


def test_a_body_in_pieces_is_put_together(client):
    client.send(GREET + b"Content-Length: 12\r\n\r\n")
    for piece in (b'{"nmae"', b":", b"123", b"}"):
        client.send(piece[:5])
        client.send(piece[5:])

    answer = client.read()
    assert json.loads(answer.body)["errors"][0]["pointer"] == "/nmae"


def test_http_1_0_is_answered_and_closed(client):
    client.send(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n")

    assert client.read().status == 200
    assert client.is_closed()


def test_an_offer_to_upgrade_is_not_taken(client):
    client.send(
        GREET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n"
        b'Content-Length: 12\r\n\r\n{"nmae":123}'
    )
    assert b"/nmae" in client.read().body

    client.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.read().status == 200


def test_a_path_with_escapes_comes_back_as_a_valid_reference(client):
    client.send(b"GET /n%0d%0aowhere%20%C3%A9 HTTP/1.1\r\nHost: localhost\r\n\r\n")

    answer = client.read()
    assert answer.code == "not_found"
    assert json.loads(answer.body)["instance"] == "/n%0D%0Aowhere%20%C3%A9"
