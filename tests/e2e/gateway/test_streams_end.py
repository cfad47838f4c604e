"""An open event stream lives no longer than the right to read it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from runtime.store import access_commands
from runtime.store.scripts import Command
from tests.e2e.gateway.conftest import GREET
from tests.support.api_keys import MadeKey, make_key
from tests.support.gateway_process import RunningGateway, running_gateway
from tests.support.waiting import allowed, eventually

SOON_S = 5


@pytest.fixture
def closed(redis_url) -> Iterator[RunningGateway]:
    with running_gateway(redis_url, auth="required") as gateway:
        gateway.headers = make_key(gateway.connection, "admin", "admin").headers
        gateway.publish(GREET)
        yield gateway


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


@pytest.fixture
def invocation(closed) -> str:
    called = httpx.post(f"{closed.url}/functions/greet", json={"name": "x"}, headers=closed.headers)
    return str(called.json()["id"])


class Reading:
    """A stream that is being read; how long it was open, in seconds, is its result."""

    def __init__(self, pool: ThreadPoolExecutor, client: httpx.Client, invocation: str) -> None:
        self.began_at = 0.0
        self._ended: Future[float] = pool.submit(self._read, client, invocation)
        eventually(lambda: self.began_at)

    def ends_within(self, within_s: float) -> float:
        return self._ended.result(allowed(within_s))

    @property
    def is_open(self) -> bool:
        return not self._ended.done()

    def _read(self, client: httpx.Client, invocation: str) -> float:
        with client.stream("GET", f"/invocations/{invocation}/events", timeout=60) as answer:
            assert answer.status_code == 200
            for _ in answer.iter_lines():
                self.began_at = self.began_at or time.monotonic()
        return time.monotonic() - self.began_at


class Clients:
    """Clients of a gateway, closed together."""

    def __init__(self, gateway: RunningGateway) -> None:
        self._gateway = gateway
        self.made: list[httpx.Client] = []

    def with_key(self, key: MadeKey) -> httpx.Client:
        return self._make(key.headers)

    def logged_in(self, key: MadeKey) -> httpx.Client:
        client = self._make({"Sec-Fetch-Site": "same-origin"})
        assert client.post("/session", json={"key": key.text}).is_success
        return client

    def _make(self, headers: dict[str, str]) -> httpx.Client:
        self.made.append(httpx.Client(base_url=self._gateway.url, headers=headers))
        return self.made[-1]


@pytest.fixture
def clients(closed, pool) -> Iterator[Clients]:
    clients = Clients(closed)
    yield clients
    for client in clients.made:
        client.close()


@pytest.mark.parametrize("way", ["key", "session"])
def test_a_stream_ends_when_its_key_expires(closed, clients, pool, invocation: str, way: str):
    made = make_key(closed.connection, "brief", "read", lifetime_ms=3_000)
    client = clients.with_key(made) if way == "key" else clients.logged_in(made)

    reading = Reading(pool, client, invocation)

    assert reading.ends_within(3 + SOON_S) < allowed(3 + SOON_S)
    assert client.get("/functions").status_code == 401


def test_a_stream_ends_when_its_owner_logs_out(closed, clients, pool, invocation: str):
    made = make_key(closed.connection, "person", "read")
    leaving, staying = clients.logged_in(made), clients.logged_in(made)
    readings = [Reading(pool, client, invocation) for client in (leaving, staying)]
    by_key = Reading(pool, clients.with_key(made), invocation)

    assert leaving.delete("/session").is_success

    assert readings[0].ends_within(SOON_S) < allowed(SOON_S)
    assert readings[1].is_open
    assert by_key.is_open
    closed.connection.run(access_commands.revoke_key(made.id))
    assert readings[1].ends_within(SOON_S) > 0
    assert by_key.ends_within(SOON_S) > 0


@pytest.mark.parametrize("way", ["revoked", "left"])
def test_what_ended_while_no_news_came_ends_when_they_come_again(
    closed, clients, pool, invocation: str, way: str
):
    made = make_key(closed.connection, "person", "read")
    client = clients.with_key(made) if way == "revoked" else clients.logged_in(made)
    reading = Reading(pool, client, invocation)
    end = (
        access_commands.revoke_key(made.id)
        if way == "revoked"
        else Command(
            ("DEL", *closed.connection.run(Command(("KEYS", "*session*"), lambda reply: reply))),
            lambda reply: reply,
        )
    )

    closed.connection.run(Command(("CLIENT", "KILL", "TYPE", "pubsub"), lambda reply: reply))
    closed.connection.run(end)  # the gateway comes again half a second later

    assert reading.ends_within(2 * SOON_S) < allowed(2 * SOON_S)
