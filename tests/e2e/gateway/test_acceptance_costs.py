"""What accepting a call costs Redis, whatever it asks for; and that a full one refuses it."""

from __future__ import annotations

import signal
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import psutil
import pytest

from runtime.invocations.record import read
from runtime.sdk.options import Options
from runtime.store.scripts import Command
from tests.e2e.gateway.conftest import GREET
from tests.support.api_keys import make_key
from tests.support.gateway_process import RunningGateway, running_gateway
from tests.support.monitoring import Monitor, monitored
from tests.support.redis_server import own_redis
from tests.support.waiting import eventually

CALLS = 100
CROWD = 48
TOGETHER = 8
NOISE = 10  # a look at the health, a note of a key's use
BODY = b'{"name":"Ada"}'
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ALL = "?priority=7&key=k&tag=one&max_age=1h&delay=1ms"
# A call that asks for nothing, and one that asks for something.
ASKING = {"nothing": "", "something": "?tag=one&key=k"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with (
        own_redis(tmp_path_factory.mktemp("redis")) as url,
        running_gateway(url) as running,
    ):
        running.publish(GREET)
        yield running


def command(gateway: RunningGateway, *words: str | int) -> Any:
    return gateway.connection.run(Command(words, lambda reply: reply))


@contextmanager
def watched(gateway: RunningGateway) -> Iterator[Monitor]:
    [_, path] = command(gateway, "CONFIG", "GET", "unixsocket")
    with monitored(path.decode()) as monitor:
        yield monitor


@contextmanager
def crowd(gateway: RunningGateway, more: str) -> Iterator[list[socket.socket]]:
    """Connect many callers, who all have sent a call by the time the gateway looks."""
    request = (
        "POST /functions/greet HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\n{more}Content-Length: {len(BODY)}\r\n\r\n"
    ).encode() + BODY
    serving = psutil.Process(gateway.pid).children()
    with ExitStack() as stack:
        callers = [stack.enter_context(closing(gateway.connect())) for _ in range(CROWD)]
        for caller in callers:
            caller.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert status_in_one_piece(caller) == 200
        for process in serving:
            process.send_signal(signal.SIGSTOP)
        try:
            for caller in callers:
                caller.sendall(request)
        finally:
            for process in serving:
                process.send_signal(signal.SIGCONT)
        yield callers


def status_in_one_piece(caller: socket.socket) -> int:
    """Read an answer, which comes in one piece."""
    return int(caller.recv(65536).split(b" ", 2)[1])


def test_calls_one_after_the_other_cost_one_round_trip_each(gateway: RunningGateway):
    with httpx.Client(base_url=gateway.url, trust_env=False) as http, watched(gateway) as monitor:
        for _ in range(CALLS):
            assert http.post("/functions/greet", json={"name": "Ada"}).status_code == 202
        eventually(lambda: monitor.seen["submit_invocations"] >= CALLS)

    assert monitor.seen["submit_invocations"] == CALLS
    assert monitor.seen.total() <= CALLS + NOISE


@pytest.mark.parametrize("more", ["", f"traceparent: {TRACE}\r\n"])
def test_calls_that_come_together_share_round_trips(gateway: RunningGateway, more: str):
    with watched(gateway) as monitor, crowd(gateway, more) as callers:
        statuses = Counter(map(status_in_one_piece, callers))
        eventually(lambda: monitor.seen["submit_invocations"] >= CROWD // TOGETHER)

    assert statuses == {202: CROWD}
    assert monitor.seen["submit_invocations"] <= CROWD // 2
    assert monitor.seen.total() <= CROWD // 2 + NOISE


def test_one_round_trip_accepts_a_call_with_everything_in_use(
    tmp_path_factory: pytest.TempPathFactory,
):
    """A key that is known, its rate, a trace, an idempotency key, a callback, every option."""
    with (
        own_redis(tmp_path_factory.mktemp("redis")) as url,
        running_gateway(
            url, auth="required", caller_rate="100000/s", callback_allow_loopback=True
        ) as closed,
    ):
        closed.headers = make_key(closed.connection, "ada", "admin").headers
        closed.publish(replace(GREET, options=Options(max_waiting=10_000, priority=3)))
        with (
            httpx.Client(base_url=closed.url, headers=closed.headers, trust_env=False) as http,
            watched(closed) as monitor,
        ):
            for number in range(CALLS):
                answer = http.post(
                    f"/functions/greet{ALL}",
                    json={"name": "Ada"},
                    headers={
                        "traceparent": TRACE,
                        "tracestate": "a=b",
                        "Idempotency-Key": f"key-{number}",
                        "X-Callback-Url": f"http://127.0.0.1:9/{number}",
                    },
                )
                assert answer.status_code == 202, answer.text
                assert "RateLimit" in answer.headers
            eventually(lambda: monitor.seen["submit_invocations"] >= CALLS)
        made = closed.connection.run(read(answer.json()["id"]))
        record = closed.connection.keys.build("record", answer.json()["id"])
        trace = command(closed, "HMGET", record, "traceparent", "tracestate")

    assert monitor.seen["submit_invocations"] == CALLS
    assert monitor.seen.total() <= CALLS + NOISE
    assert made is not None
    assert (made.caller, made.priority, made.key) == ("ada", 7, "k")
    assert trace == [TRACE.encode(), b"a=b"]
    assert made.callback == f"http://127.0.0.1:9/{CALLS - 1}"
    assert msgspec.json.decode(made.tags) == ["one"]


@pytest.mark.parametrize("asking", ASKING)
def test_a_full_redis_refuses_it_and_nothing_of_it_is_left(gateway: RunningGateway, asking: str):
    before = set(command(gateway, "KEYS", "*"))

    def call() -> httpx.Response:
        url = f"{gateway.url}/functions/greet{ASKING[asking]}"
        return httpx.post(url, json={"name": "Ada"}, trust_env=False)

    command(gateway, "CONFIG", "SET", "maxmemory", 1)
    try:
        with watched(gateway) as monitor:
            answer = call()
    finally:
        command(gateway, "CONFIG", "SET", "maxmemory", 0)

    assert monitor.seen["submit_invocations"] == 1
    assert (answer.status_code, answer.json()["code"]) == (503, "store_refused")
    assert "Retry-After" in answer.headers
    assert set(command(gateway, "KEYS", "*")) <= before
    assert call().status_code == 202
