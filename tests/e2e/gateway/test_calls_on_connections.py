"""Calls over real connections: cut anywhere, in bursts, of those who leave, while Redis is away."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.gateway.conftest import GREET
from tests.e2e.gateway.test_one_way import (
    BODY,
    TRACE,
    call_alone,
    empty_the_queue,
    read_bare,
    request,
)
from tests.e2e.gateway.test_protocol import RawAnswer, RawClient
from tests.support.gateway_process import running_gateway
from tests.support.redis_server import start_redis
from tests.support.waiting import eventually

CROWD = 20


@pytest.fixture
def client(gateway):
    with gateway.connect() as sock:
        yield RawClient(sock)


def status_of(sock: socket.socket) -> int:
    return int(read_bare(sock).split(b" ", 2)[1])


@contextmanager
def own_server(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    server = start_redis(folder, "--appendonly", "yes", "--appendfsync", "always")
    try:
        yield server
    finally:
        server.kill()
        server.wait()


def name_of_accepted(answer: RawAnswer) -> str:
    assert answer.status == 202, answer
    found = json.loads(answer.body)
    assert answer.headers["location"] == f"/invocations/{found['id']}"
    return str(found["arguments"]["name"])


def test_a_burst_of_all_kinds_of_requests_is_answered_in_order(client):
    burst = [
        request(b'{"name":"1"}'),
        request(b'{"name":"2"}', more="Idempotency-Key: burst-2\r\n"),
        request(b'{"name":"3"}'),
        request(b'{"name":4}'),
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
        request(b'{"name":"6"}', more=TRACE),
        request(b'{"name":"7"}', more="Prefer: wait=1\r\n"),
        request(b'{"name":"8"}'),
        request(b"{}", name="nobody"),
        request(b'{"name":"10"}'),
    ]
    for _ in range(2):  # by the second time the heads are known
        client.send(b"".join(burst))
        answers = [client.read() for _ in burst]

        assert [a.status for a in answers] == [202, 202, 202, 422, 200, 202, 202, 202, 404, 202]
        named = [name_of_accepted(answer) for answer in answers if answer.status == 202]
        assert named == ["1", "2", "3", "6", "7", "8", "10"]


def test_a_known_head_is_taken_however_its_request_is_cut(client):
    whole = request()
    for at in range(1, len(whole), 7):
        client.send(whole)
        assert name_of_accepted(client.read()) == "Ada"
        client.send(whole[:at])
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.send(whole[at:] + whole)
        assert [name_of_accepted(client.read()) for _ in range(2)] == ["Ada", "Ada"]


def test_a_known_head_says_nothing_about_the_body(client):
    bodies = [b'{"name":"Ada"}', b'{"name":"Bob"}', b'{"name":1234 }', b'{"name":"Eve"}']
    for body in bodies * 2:
        client.send(request(body))

    statuses = [client.read().status for _ in bodies * 2]

    assert statuses == [202, 202, 422, 202] * 2


def test_a_known_head_with_more_behind_its_body_is_two_requests(client):
    client.send(request())
    name_of_accepted(client.read())

    client.send(request() + b"nonsense\r\n\r\n")

    assert name_of_accepted(client.read()) == "Ada"
    assert client.read().code == "malformed_request"
    assert client.is_closed()


@pytest.mark.parametrize("size", [70_000, 200_000])
def test_a_body_too_long_to_be_held_is_taken_all_the_same(client, size: int):
    body = b'{"name":"%b"}' % (b"x" * size)
    for _ in range(2):
        client.send(request(body))

        assert len(name_of_accepted(client.read())) == size


def test_a_chunked_body_and_one_that_asks_first_are_taken(client):
    head = request().partition(b"Content-Length")[0]
    client.send(head + b"Transfer-Encoding: chunked\r\n\r\ne\r\n" + BODY + b"\r\n0\r\n\r\n")
    assert name_of_accepted(client.read()) == "Ada"

    client.send(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY))
    assert client.read().status == 100
    client.send(BODY)
    assert name_of_accepted(client.read()) == "Ada"


def test_who_leaves_while_they_wait_takes_nobody_along(gateway):
    empty_the_queue(gateway)
    with gateway.connect() as stays:
        with gateway.connect() as leaves:
            leaves.sendall(request(more="Prefer: wait=20\r\n"))
            first = gateway.claim()
        stays.sendall(request(more="Prefer: wait=20\r\n"))
        second = gateway.claim()
        gateway.finish(first, result=b'"gone"')
        gateway.finish(second, result=b'"here"')

        answer = read_bare(stays)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b'"result":"here"' in answer
    assert "Traceback" not in gateway.log.read_text()


def test_calls_that_redis_does_not_answer_are_all_refused(tmp_path):
    with ExitStack() as stack:
        server = stack.enter_context(own_server(tmp_path))
        gateway = stack.enter_context(running_gateway(f"unix://{tmp_path / 'redis.sock'}"))
        gateway.publish(GREET)
        callers = [stack.enter_context(closing(gateway.connect())) for _ in range(CROWD)]
        for caller in callers:  # now the heads are known
            caller.sendall(request())
            assert status_of(caller) == 202

        server.send_signal(signal.SIGSTOP)
        for number, caller in enumerate(callers):
            caller.sendall(request(more="Prefer: wait=9\r\n" if number % 2 else ""))
        assert httpx.get(f"{gateway.url}/livez", trust_env=False).is_success  # it has read them
        server.kill()

        assert Counter(map(status_of, callers)) == {503: CROWD}
        server.wait()
        stack.enter_context(own_server(tmp_path))
        eventually(lambda: call_alone(gateway).startswith(b"HTTP/1.1 202"))
        assert "Traceback" not in gateway.log.read_text()
