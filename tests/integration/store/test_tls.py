"""Redis over TLS, trusted and shown a certificate as its address says."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from runtime.errors import SettingsError, StoreUnavailableError
from runtime.loop import Loop
from runtime.store.async_connection import AsyncConnection
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.loop_connection import LoopConnection
from runtime.store.pubsub import PubSub
from runtime.store.redis_url import parse_address
from runtime.store.scripts import Command
from tests.support.loop_thread import turn_until
from tests.support.redis_server import redis_executable, start_redis
from tests.support.waiting import eventually

PING: Command[bytes] = Command(("PING",), lambda reply: reply)


@dataclass(frozen=True)
class Secured:
    """A server that asks for a certificate of its own authority."""

    port: int
    authority: Path
    certificate: Path
    key: Path

    def url(self, host: str = "127.0.0.1", **parameters: object) -> str:
        given = {"ssl_certfile": self.certificate, "ssl_keyfile": self.key, **parameters}
        query = "&".join(f"{name}={quote(str(value))}" for name, value in given.items() if value)
        return f"rediss://{host}:{self.port}/0?{query}"


def openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    executable = redis_executable()
    linked = subprocess.run(["ldd", executable], capture_output=True, text=True, check=False).stdout
    assert shutil.which("openssl"), "openssl makes the certificates"
    if "libssl" not in linked:
        pytest.skip(f"{executable} cannot speak TLS")
    folder = tmp_path_factory.mktemp("tls")
    authority, authority_key = folder / "ca.pem", folder / "ca.key"
    certificate, key, request = folder / "own.pem", folder / "own.key", folder / "own.csr"
    names = folder / "names"
    names.write_text("subjectAltName=IP:127.0.0.1\n", encoding="ascii")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(
        *("req", "-x509", *curve, "-keyout", authority_key, "-out", authority),
        *("-subj", "/CN=authority", "-addext", "keyUsage=critical,keyCertSign"),
    )
    openssl("req", *curve, "-keyout", key, "-out", request, "-subj", "/CN=own")
    openssl(
        *("x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key),
        *("-CAcreateserial", "-out", certificate, "-extfile", names),
    )
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = start_redis(
        folder,
        *("--tls-port", str(port), "--tls-ca-cert-file", str(authority)),
        *("--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
    )
    yield Secured(port=port, authority=authority, certificate=certificate, key=key)
    server.terminate()
    server.wait(10)


def test_an_own_authority_and_an_own_certificate_are_used_by_every_connection(secured: Secured):
    url = secured.url(ssl_ca_certs=secured.authority)
    connection = BlockingConnection(url)

    async def others() -> tuple[object, bool]:
        connected = asyncio.Event()
        store = AsyncConnection(url)
        subscription = PubSub(
            url, ["x"], on_message=lambda _channel, _payload: None, on_connect=connected.set
        )
        subscription.start()
        try:
            return await store.run(PING), await asyncio.wait_for(connected.wait(), 10)
        finally:
            await subscription.stop()
            await store.close()

    assert connection.run(PING) == b"PONG"
    assert asyncio.run(others()) == (b"PONG", True)
    connection.close()


def test_a_worker_s_loop_speaks_tls_in_large_pieces_too(secured: Secured):
    loop = Loop()
    on_loop = LoopConnection(secured.url(ssl_ca_certs=secured.authority), loop)
    heard: list[object] = []
    large = "x" * 5_000_000

    on_loop.run(Command(("SET", "large", large), lambda reply: reply), heard.append)
    for _ in range(2):
        on_loop.run(Command(("GET", "large"), lambda reply: reply), heard.append)
    on_loop.run(PING, heard.append)

    turn_until(loop, lambda: len(heard) == 4, within_s=20)
    assert heard[1:] == [large.encode(), large.encode(), b"PONG"]
    on_loop.close()
    loop.close()


@pytest.mark.parametrize("kind", ["loop", "thread"])
def test_a_reply_that_is_on_its_way_comes_although_the_wait_is_ended(secured: Secured, kind: str):
    url = secured.url(ssl_ca_certs=secured.authority)
    other = BlockingConnection(url)
    blpop = Command(("BLPOP", "k", 30), lambda reply: reply)
    loop = Loop()
    on_loop, connection = LoopConnection(url, loop), BlockingConnection(url)
    heard: list[object] = []

    def is_blocked() -> bool:
        clients = other.run(Command(("CLIENT", "LIST"), lambda reply: reply))
        return b"cmd=blpop" in clients

    if kind == "loop":
        on_loop.run(blpop, heard.append)
        turn_until(loop, is_blocked)
    else:
        sent = connection.begin([blpop])
        eventually(is_blocked)
    other.run(Command(("RPUSH", "k", "v"), lambda reply: reply))
    if kind == "loop":
        on_loop.finish()
        turn_until(loop, lambda: heard)
    else:
        connection.half_close()
        heard += connection.finish(sent)

    assert heard == [[b"k", b"v"]]
    on_loop.close()
    loop.close()
    connection.close()
    other.close()


@pytest.mark.parametrize(
    ("host", "parameters", "is_trusted"),
    [
        ("127.0.0.1", {"ssl_ca_certs": None}, False),
        ("localhost", {}, False),
        ("localhost", {"ssl_check_hostname": "false"}, True),
        ("127.0.0.1", {"ssl_check_hostname": "True"}, True),
        ("127.0.0.1", {"ssl_certfile": None, "ssl_keyfile": None}, False),
    ],
)
def test_only_who_is_trusted_is_spoken_to(
    secured: Secured, host: str, parameters: dict[str, object], *, is_trusted: bool
):
    connection = BlockingConnection(
        secured.url(host, **{"ssl_ca_certs": secured.authority, **parameters})
    )
    try:
        if is_trusted:
            assert connection.run(PING) == b"PONG"
        else:
            with pytest.raises(StoreUnavailableError):
                connection.run(PING)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("rediss://h?ssl_ca_cert=/x", "no parameter 'ssl_ca_cert'.*ssl_ca_certs"),
        ("rediss://h?ssl_ca_certs=/no/such/file", "ssl_ca_certs: there is no file '/no/such/file'"),
        ("rediss://h?ssl_certfile=/no/such/file", "ssl_certfile: there is no file"),
        ("rediss://h?ssl_check_hostname=maybe", "ssl_check_hostname: takes true or false"),
        ("redis://h?ssl_ca_certs=/x", "'ssl_ca_certs' is for TLS: begin the address with rediss"),
        ("unix:///s?ssl_ca_certs=/x", "is for TLS"),
        ("redis://h?socket_timeout=5", "no parameter 'socket_timeout'; this one takes db"),
        ("redis://h?sentinel_username=x", "no parameter 'sentinel_username'"),
        ("redis://h?db=1&db=2", "'db' is given more than once"),
        ("redis://h?db=x", "db: takes a whole number"),
        ("unix:///s?DB=1", "no parameter 'DB'"),
        ("redis+sentinel://h/m?sentinel_user=x", "no parameter.*sentinel_username"),
        ("rediss+sentinel://h/m?ssl_ca_certs=/no/such", "there is no file"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused_by_name(url: str, says: str):
    with pytest.raises(SettingsError, match=says):
        parse_address(url)
