"""Redis hangs, dies or refuses: told truthfully and in time, and all resumes by itself."""

from __future__ import annotations

import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from runtime.invocations.ids import new_invocation_id
from runtime.store import invocation_commands
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command
from tests.e2e.gateway.conftest import FUNCTIONS
from tests.support.gateway_process import running_gateway
from tests.support.redis_server import start_redis
from tests.support.waiting import allowed, eventually

LONGEST_S = 1.5
PATHS = ["/functions/greet", "/functions", f"/invocations/{new_invocation_id()}"]


class Outage:
    """A Redis that can be hung, killed and brought back."""

    def __init__(self, folder):
        self.folder = folder
        self.url = f"unix://{folder / 'redis.sock'}"
        self.start()

    def start(self):
        self.server = start_redis(self.folder, "--appendonly", "yes", "--appendfsync", "always")

    def hang(self):
        self.server.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.server.send_signal(signal.SIGCONT)

    def kill(self):
        self.server.kill()
        self.server.wait()


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    outage = Outage(tmp_path_factory.mktemp("redis"))
    yield outage
    outage.go_on()
    outage.kill()


@pytest.fixture(scope="module")
def gateway(redis):
    with running_gateway(redis.url) as gateway:
        gateway.publish(*FUNCTIONS)
        yield gateway


def assert_unavailable(http, method, path, **kwargs):
    began = time.monotonic()
    answer = http.request(method, path, **kwargs)
    took_s = time.monotonic() - began

    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable"), answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    assert took_s < allowed(LONGEST_S)


def assert_all_unavailable(http):
    assert_unavailable(http, "POST", "/functions/greet", json={"name": "a"})
    assert_unavailable(
        http, "POST", "/functions/greet", json={"name": "a"}, headers={"Prefer": "wait=9"}
    )
    assert_unavailable(http, "POST", "/functions/unknown", json={})
    for path in PATHS:
        assert_unavailable(http, "GET", path)
    began = time.monotonic()
    problem = http.get("/readyz").json()
    assert problem["code"] == "not_ready"
    assert re.fullmatch(r"Redis does not answer: .+\.", problem["detail"])
    assert time.monotonic() - began < allowed(LONGEST_S)
    assert http.get("/livez").status_code == 200


def accepts_again(http):
    return http.post("/functions/greet", json={"name": "a"}).status_code == 202


def test_a_hung_redis_is_503_in_time_and_its_return_is_noticed(gateway, redis, http):
    redis.hang()
    assert_all_unavailable(http)

    redis.go_on()
    eventually(lambda: accepts_again(http), within_s=10)
    assert http.get("/readyz").status_code == 200


def test_a_dead_redis_is_503_in_time_and_its_return_is_noticed(gateway, redis, http):
    redis.kill()
    assert_all_unavailable(http)

    redis.start()
    eventually(lambda: accepts_again(http), within_s=10)
    take_all(gateway)


def test_what_finished_while_redis_was_away_for_us_reaches_those_who_wait(gateway, redis, http):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            http.post, "/functions/greet", json={"name": "a"}, headers={"Prefer": "wait=20"}
        )
        claimed = gateway.claim()
        redis.kill()
        redis.start()
        pause_subscriptions(redis)
        gateway.connection.close()
        gateway.finish(claimed, result=b'"still here"')
        answer = waiting.result(15)

    assert answer.json()["result"] == "still here"


def test_a_gateway_that_starts_without_redis_serves_once_it_comes(tmp_path):
    with (
        running_gateway(f"unix://{tmp_path / 'redis.sock'}") as gateway,
        httpx.Client(base_url=gateway.url, timeout=20) as client,
    ):
        assert_unavailable(client, "POST", "/functions/greet", json={"name": "a"})
        assert_unavailable(client, "GET", "/openapi.json")
        server = start_redis(tmp_path)
        try:
            gateway.publish(*FUNCTIONS)
            assert accepts_again(client)
        finally:
            server.kill()
            server.wait()


def pause_subscriptions(redis):
    """Cut every subscriber off, so that the notice of a finish goes to nobody."""
    connection = BlockingConnection(redis.url)
    connection.run(Command(("CLIENT", "KILL", "TYPE", "pubsub"), lambda reply: reply))
    connection.close()


def take_all(gateway):
    gateway.connection.close()
    while _take(gateway):
        pass


def _take(gateway):
    call = invocation_commands.claim(queue="default", worker="w-1", limit=50, lease_ms=60_000)
    return gateway.connection.run(call).items
