"""A revoked key is refused at once, on every gateway, whatever it was doing there."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from runtime.store import access_commands
from runtime.store.scripts import Command
from tests.e2e.gateway.conftest import GREET
from tests.support.api_keys import MadeKey, make_key
from tests.support.gateway_process import RunningGateway, running_gateway
from tests.support.redis_server import own_redis
from tests.support.waiting import eventually

CALL = {"name": "Ada"}
REFUSED = (401, 429)  # 429 once the same wrong key has come too often
AT_ONCE_S = 1.0  # what a busy machine may take between a word of Redis and its being heard


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RunningGateway]]:
    """Two gateways of one system, which ask for keys."""
    with (
        own_redis(tmp_path_factory.mktemp("redis")) as url,
        running_gateway(url, auth="required") as first,
        running_gateway(url, auth="required") as second,
    ):
        for gateway in (first, second):
            gateway.headers = make_key(gateway.connection, "publisher", "admin").headers
            gateway.publish(GREET)
        yield [first, second]


class KeyedCalls:
    """Calls and reads with one key, as fast as one thread goes; notes what is answered when."""

    def __init__(self, gateway: RunningGateway, made: MadeKey) -> None:
        self.answers: list[tuple[float, str, int]] = []
        self._http = httpx.Client(
            base_url=gateway.url, headers=made.headers, timeout=20, trust_env=False
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """Stop calling."""
        self._stop.set()
        self._thread.join(20)
        self._http.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            for kind in ("accepted", "read"):
                began_at = time.monotonic()
                if kind == "accepted":
                    answer = self._http.post("/functions/greet", json=CALL)
                else:
                    answer = self._http.get("/session")
                self.answers.append((began_at, kind, answer.status_code))


def test_a_key_under_load_on_two_gateways_is_refused_at_once(pair: list[RunningGateway]):
    made = make_key(pair[0].connection, "busy", "invoke:greet")
    spare = make_key(pair[0].connection, "busy", "invoke:greet")
    loads = [KeyedCalls(gateway, made) for gateway in pair]
    spared = KeyedCalls(pair[1], spare)
    try:
        eventually(lambda: all(len(load.answers) > 40 for load in loads), within_s=15)
        with httpx.Client(headers=pair[0].headers, timeout=20, trust_env=False) as admin:
            assert admin.delete(f"{pair[0].url}/keys/{made.id}").status_code == 204
        revoked_at = time.monotonic()
        counts = [len(load.answers) for load in loads]
        eventually(
            lambda: all(
                len(load.answers) > count + 40 for load, count in zip(loads, counts, strict=True)
            ),
            within_s=15,
        )
    finally:
        for load in (*loads, spared):
            load.stop()

    for load in loads:
        before = {status for at, _, status in load.answers[:40]}
        after = {(kind, status) for at, kind, status in load.answers if at > revoked_at}
        assert before <= {200, 202}
        assert ("accepted", 202) not in after, "accepting is judged by Redis itself"
        late = [at for at, _, status in load.answers if at > revoked_at and status in (200, 202)]
        assert all(at < revoked_at + AT_ONCE_S for at in late)
        assert load.answers[-1][2] in REFUSED
    assert {status for _, _, status in spared.answers} == {200, 202}


def test_an_open_stream_ends_with_its_key(pair: list[RunningGateway]):
    gateway = pair[1]
    made = make_key(gateway.connection, "listener", "invoke:greet")
    with httpx.Client(
        base_url=gateway.url, headers=made.headers, timeout=20, trust_env=False
    ) as http:
        id_ = http.post("/functions/greet", json=CALL).json()["id"]
        with http.stream("GET", f"/invocations/{id_}/events") as stream:
            pieces = stream.iter_bytes()
            assert b"event: status" in next(pieces)
            gateway.connection.run(access_commands.revoke_key(made.id))
            rest = b"".join(pieces)  # ends, though the invocation has not

    assert b"event: end" not in rest


def test_a_gateway_that_hears_no_news_trusts_no_memory(pair: list[RunningGateway]):
    gateway = pair[0]
    made = make_key(gateway.connection, "deaf", "invoke:greet")
    with httpx.Client(
        base_url=gateway.url, headers=made.headers, timeout=20, trust_env=False
    ) as http:
        before = [http.get("/session").status_code for _ in range(3)]
        # Revoked behind everybody's back: nothing is published, and whoever listens is cut off.
        gateway.connection.run(Command(("CLIENT", "KILL", "TYPE", "pubsub"), int))
        gateway.connection.run(Command(("ZREM", "penstock:{0}:apikeys", made.id), int))
        accepting = http.post("/functions/greet", json=CALL).status_code
        reading = http.get("/session").status_code

    assert before == [200] * 3
    assert {accepting, reading} <= set(REFUSED)


def test_a_key_that_is_revoked_while_a_body_comes_does_nothing(pair: list[RunningGateway]):
    gateway = pair[0]
    made = make_key(gateway.connection, "slow", "admin")
    before = httpx.get(f"{gateway.url}/schedules", headers=gateway.headers).json()
    address = urlsplit(gateway.url)
    key = made.headers["Authorization"].encode()
    body = b'{"function":"greet","arguments":{"name":"Ada"},"cron":"0 0 1 1 *"}'

    with socket.create_connection((address.hostname, address.port), timeout=20) as sent:
        sent.sendall(
            b"POST /schedules HTTP/1.1\r\nHost: localhost\r\nAuthorization: %b\r\n"
            b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
            b"Expect: 100-continue\r\n\r\n" % key
        )
        assert sent.recv(64).startswith(b"HTTP/1.1 100 "), "its head is judged"
        gateway.connection.run(access_commands.revoke_key(made.id))
        eventually(
            lambda: httpx.get(f"{gateway.url}/session", headers=made.headers).status_code in REFUSED
        )
        sent.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        answer = sent.recv(4096)

    assert int(answer.split()[1]) in REFUSED
    assert httpx.get(f"{gateway.url}/schedules", headers=gateway.headers).json() == before
