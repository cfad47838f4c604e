"""What bodies may cost a gateway: memory by strangers, time by who sends in small pieces."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import httpx
import psutil
import pytest

from runtime.store.blocking_connection import BlockingConnection
from tests.e2e.gateway.conftest import FUNCTIONS
from tests.support.api_keys import make_key
from tests.support.gateway_process import RunningGateway, running_gateway
from tests.support.waiting import allowed, eventually

MIB = 2**20
STRANGERS = 20
BATCH_BYTES = 16 * MIB
PIECE = b" " * 140_000


def head(size: int, *, key: str = "", path: str = "/functions/greet/batch") -> bytes:
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"{authorization}Content-Length: {size}\r\n\r\n"
    ).encode()


@contextlib.contextmanager
def connected(gateway: RunningGateway, count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(gateway.connect()) for _ in range(count)]


def send_as_taken(sock: socket.socket, data: bytes) -> None:
    """Send what the other side takes; an end of it is no fault."""
    with contextlib.suppress(ConnectionError):
        sock.sendall(data)


def memory_of(gateway: RunningGateway) -> int:
    [worker] = psutil.Process(gateway.pid).children()
    return worker.memory_info().rss


@pytest.fixture
def closed(redis_url) -> Iterator[RunningGateway]:
    with running_gateway(redis_url, auth="required") as gateway:
        yield gateway


def test_strangers_fill_no_memory(closed):
    before_bytes = memory_of(closed)

    with connected(closed, STRANGERS) as strangers:
        for sock in strangers:
            send_as_taken(sock, head(BATCH_BYTES) + b" " * (BATCH_BYTES - 100))
        answers = [sock.recv(65_536) for sock in strangers]
        held_bytes = memory_of(closed) - before_bytes

    assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 401 Unauthorized"}
    assert all(b"www-authenticate: Bearer" in answer for answer in answers)
    assert held_bytes < 16 * MIB


@pytest.mark.parametrize("framing", ["length", "chunks", "a wrong key"])
def test_a_stranger_hears_of_it_before_the_body_is_sent(closed, framing: str):
    begun = head(BATCH_BYTES, key="pen_wrong" if framing == "a wrong key" else "")
    if framing == "chunks":
        begun = begun.replace(b"Content-Length: 16777216", b"Transfer-Encoding: chunked")

    with closed.connect() as sock:
        sock.sendall(begun)

        assert sock.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_whoever_shows_a_key_may_send_what_is_long(closed, connection: BlockingConnection):
    closed.headers = make_key(connection, "admin", "admin").headers
    closed.publish(*FUNCTIONS)
    rows = b"[" + b",".join([b'{"name":"%b"}' % (b"x" * 1000)] * 2000) + b"]"

    answer = httpx.post(
        f"{closed.url}/functions/greet/batch",
        content=iter([rows[:MIB], rows[MIB:]]),
        headers={**closed.headers, "Content-Type": "application/json"},
        timeout=30,
    )

    assert answer.status_code == 202, answer.text


def test_more_than_the_total_is_refused_and_what_is_given_back_may_be_used(redis_url):
    with running_gateway(redis_url, max_held_bytes=4 * MIB) as gateway:
        with connected(gateway, 4) as senders:
            for sock in senders:
                send_as_taken(sock, head(2 * MIB) + b" " * (2 * MIB - 100))
            eventually(lambda: any(_has_answer(sock) for sock in senders))
            [answer, *_] = [sock.recv(65_536) for sock in senders if _has_answer(sock)]

        eventually(lambda: _posts(gateway, 3 * MIB) in (400, 404))

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1\r\n" in answer
    assert b"gateway_overloaded" in answer


def _has_answer(sock: socket.socket) -> bool:
    sock.settimeout(0.05)
    try:
        return sock.recv(1, socket.MSG_PEEK) != b""
    except TimeoutError:
        return False
    finally:
        sock.settimeout(10)


def _posts(gateway: RunningGateway, size: int) -> int:
    try:
        return httpx.post(
            f"{gateway.url}/functions/greet/batch",
            content=b" " * size,
            headers={"Content-Type": "application/json"},
        ).status_code
    except httpx.TransportError:
        return 0


def test_the_deadline_of_a_body_is_not_renewed_by_its_pieces(redis_url):
    with running_gateway(redis_url, body_timeout_s=1) as gateway, gateway.connect() as sock:
        sock.sendall(head(BATCH_BYTES))
        began_at = time.monotonic()
        sock.settimeout(0.2)
        answer = b""
        while not answer and time.monotonic() - began_at < 6:
            sock.sendall(PIECE)
            with contextlib.suppress(TimeoutError):
                answer = sock.recv(65_536)
        took_s = time.monotonic() - began_at

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert took_s < allowed(3)


@pytest.mark.parametrize(
    ("path", "limit", "setting"),
    [
        ("/functions/batch", MIB, b"PENSTOCK_MAX_BODY_BYTES"),
        ("/functions/x.batch", MIB, b"PENSTOCK_MAX_BODY_BYTES"),
        ("/functions/greet", MIB, b"PENSTOCK_MAX_BODY_BYTES"),
        ("/functions/batch/batch", BATCH_BYTES, b"PENSTOCK_MAX_BATCH_BYTES"),
        ("/nowhere/batch", MIB, b"PENSTOCK_MAX_BODY_BYTES"),
        ("/schedules", MIB, b"PENSTOCK_MAX_BODY_BYTES"),
        ("/session", 4096, b"4096 bytes"),
        ("/keys", 4096, b"4096 bytes"),
        ("/invocations/x/retry", 4096, b"4096 bytes"),
    ],
)
def test_the_limit_of_a_body_is_that_of_its_route(gateway, path: str, limit: int, setting: bytes):
    answers = []
    for size in (limit, limit + 1):
        with gateway.connect() as sock:
            sock.sendall(head(size, path=path) + (b" " * size if size == limit else b""))
            answers.append(sock.recv(65_536))

    assert not answers[0].startswith(b"HTTP/1.1 413 ")
    assert answers[1].startswith(b"HTTP/1.1 413 ")
    assert b"at most %d bytes" % limit in answers[1]
    assert setting in answers[1]
