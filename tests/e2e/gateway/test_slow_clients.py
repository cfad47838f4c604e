"""Slow clients are cut off at the deadlines, and harm nobody meanwhile."""

from __future__ import annotations

import socket
import time

import httpx
import psutil
import pytest

from tests.e2e.gateway.conftest import FUNCTIONS
from tests.support.gateway_process import running_gateway
from tests.support.redis_server import own_redis
from tests.support.waiting import allowed, eventually

HEADER_S = 0.8
BODY_S = 1.2
MARGIN_S = 1.5
HEAD = (
    b"POST /functions/greet HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n"
)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    with (
        own_redis(tmp_path_factory.mktemp("redis")) as url,
        running_gateway(url, header_timeout_s=HEADER_S, body_timeout_s=BODY_S) as gateway,
    ):
        gateway.publish(*FUNCTIONS)
        yield gateway


def send_byte_by_byte(sock: socket.socket, data: bytes, *, every_s: float = 0.1) -> bytes:
    """Send a byte at a time until the other side answers or closes; return its answer."""
    sock.settimeout(every_s)
    for index in range(len(data) * 100):
        try:
            answer = sock.recv(65_536)
        except TimeoutError:
            sock.send(data[index % len(data) :][:1])
        else:
            return answer
    raise AssertionError("never cut off")


def test_dripped_headers_are_cut_off_with_408(impatient):
    began = time.monotonic()
    with impatient.connect() as sock:
        sock.sendall(b"GET /livez HTTP/1.1\r\nX-Slow: ")
        answer = send_byte_by_byte(sock, b"a")

    assert b"408" in answer.split(b"\r\n")[0]
    assert b'"request_timeout"' in answer
    assert HEADER_S <= time.monotonic() - began < allowed(HEADER_S + MARGIN_S)


def test_a_dripped_body_is_cut_off_with_408(impatient):
    began = time.monotonic()
    with impatient.connect() as sock:
        sock.sendall(HEAD)
        answer = send_byte_by_byte(sock, b"{")

    assert b"408" in answer.split(b"\r\n")[0]
    assert b'"instance":"/functions/greet"' in answer
    assert BODY_S <= time.monotonic() - began < allowed(BODY_S + MARGIN_S)


def test_line_breaks_do_not_hold_a_connection_open(impatient):
    began = time.monotonic()
    with impatient.connect() as sock:
        send_byte_by_byte(sock, b"\r\n")

    assert time.monotonic() - began < allowed(HEADER_S + MARGIN_S)


def test_a_connection_that_says_nothing_is_closed(impatient):
    began = time.monotonic()
    with impatient.connect() as sock:
        assert sock.recv(1) == b""

    assert time.monotonic() - began < allowed(HEADER_S + MARGIN_S)


def test_the_next_request_of_a_connection_has_the_same_deadline(impatient):
    with impatient.connect() as sock:
        sock.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" in sock.recv(65_536)
        began = time.monotonic()
        sock.sendall(b"GET /livez HT")
        answer = send_byte_by_byte(sock, b"T")

    assert b"408" in answer or b"400" in answer or answer == b""
    assert time.monotonic() - began < allowed(HEADER_S + MARGIN_S)


def test_a_request_that_the_gateway_does_not_read_yet_is_not_late(impatient):
    body = b'{"name":"a"}'
    head = (
        b"POST /functions/greet HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    )
    waiting = head + b"Prefer: wait=3\r\n\r\n" + body
    next_one = head + b"\r\n" + body
    with impatient.connect() as sock:
        sock.settimeout(10)
        sock.sendall(waiting + next_one + next_one[:-4])  # the last lacks its end
        answers = sock.recv(65_536)
        sock.sendall(next_one[-4:])
        while answers.count(b"HTTP/1.1 ") < 3:
            answers += sock.recv(65_536)

    assert answers.count(b"HTTP/1.1 202 ") == 3
    for _ in range(3):
        impatient.claim()


def test_a_client_who_never_reads_is_cut_off_and_holds_little(impatient):
    workers = psutil.Process(impatient.pid).children()
    with impatient.connect() as sock:
        sock.sendall(b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n" * 30)
        ours = sock.getsockname()

        eventually(lambda: ours in _peers(workers))
        eventually(lambda: ours not in _peers(workers), within_s=BODY_S + MARGIN_S + 3)
        held_bytes = sum(worker.memory_info().rss for worker in workers)

    assert held_bytes < 200 * 1024 * 1024


def test_200_slow_connections_harm_nobody(impatient):
    slow = [impatient.connect() for _ in range(200)]
    try:
        for index, sock in enumerate(slow):
            sock.sendall(HEAD if index % 2 else b"GET /livez HTT")
        with httpx.Client(base_url=impatient.url) as client:
            took = []
            for _ in range(50):
                began = time.monotonic()
                assert client.get("/livez").status_code == 200
                took.append(time.monotonic() - began)
        assert sorted(took)[25] < allowed(0.1)
        for sock in slow:
            assert b"408" in sock.recv(65_536)
    finally:
        for sock in slow:
            sock.close()


def _peers(workers: list[psutil.Process]) -> set[tuple[str, int]]:
    return {
        tuple(connection.raddr)
        for worker in workers
        for connection in worker.net_connections("tcp")
        if connection.raddr
    }
