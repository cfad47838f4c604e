"""Stopping a gateway, and clients that leave: nobody is left waiting, nothing is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from runtime.settings import read_environment
from tests.e2e.gateway.conftest import FUNCTIONS
from tests.support.gateway_process import running_gateway
from tests.support.redis_server import own_redis
from tests.support.waiting import allowed, eventually

GREET = (
    b"POST /functions/greet HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b'Content-Length: 14\r\n\r\n{"name":"late"}'
)


def test_a_stopping_gateway_answers_those_who_wait(tmp_path):
    with own_redis(tmp_path) as url, running_gateway(url) as gateway:
        gateway.publish(*FUNCTIONS)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(
                httpx.post,
                f"{gateway.url}/functions/greet",
                json={"name": "a"},
                headers={"Prefer": "wait=50"},
                timeout=60,
            )
            gateway.claim()
            began = time.monotonic()
            gateway.signal(signal.SIGTERM)
            answer = waiting.result(10)

    assert answer.status_code == 202
    assert time.monotonic() - began < allowed(5)


@pytest.mark.parametrize("has_asked_before", [False, True])
def test_who_is_connected_when_a_gateway_stops_is_still_answered(tmp_path, has_asked_before):
    greet = GREET.replace(b"14", b"15")
    with own_redis(tmp_path) as url, running_gateway(url) as gateway, gateway.connect() as sock:
        gateway.publish(*FUNCTIONS)
        if has_asked_before:
            sock.sendall(greet)
            assert b" 202 " in sock.recv(65_536)
        gateway.signal(signal.SIGTERM)
        eventually(lambda: not _takes_connections(gateway))
        sock.sendall(greet)

        answer, after = sock.recv(65_536), sock.recv(65_536)

    assert b" 202 " in answer
    assert after == b""


def _takes_connections(gateway):
    """Whether a gateway process still takes connections: the port itself outlives it."""
    try:
        return httpx.get(f"{gateway.url}/livez", timeout=0.25).is_success
    except httpx.HTTPError:
        return False


def test_who_posts_and_leaves_has_posted(gateway):
    with gateway.connect() as sock:
        sock.sendall(GREET.replace(b"14", b"15"))

    assert gateway.claim().arguments == b'{"name":"late"}'


def test_who_closes_only_the_sending_side_gets_the_answer(gateway):
    with gateway.connect() as sock:
        sock.sendall(GREET.replace(b"14", b"15"))
        sock.shutdown(1)

        assert b" 202 " in sock.recv(65_536)
    gateway.claim()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PENSTOCK_HOST": "0.0.0.0"}, "PENSTOCK_AUTH=off"),
        ({"PENSTOCK_REDIS": "http://x"}, "Redis"),
        ({"PENSTOCK_PORT": "many"}, "PENSTOCK_PORT"),
        ({"PENSTOCK_CALLER_RATE": "often"}, "PENSTOCK_CALLER_RATE 100/m"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_no_gateway(variables, words, redis_url):
    environment = {**read_environment(), "PENSTOCK_REDIS": redis_url, **variables}

    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--config", "python:gateway.server"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert ended.returncode != 0
    assert all(word in ended.stderr for word in words.split())
    assert "Traceback" not in ended.stderr
