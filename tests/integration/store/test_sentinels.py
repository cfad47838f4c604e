"""Addresses that name sentinels: every kind of connection finds the master, again and again."""

from __future__ import annotations

import asyncio
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from runtime.errors import SettingsError, StoreError, StoreRefusedError, StoreUnavailableError
from runtime.loop import Loop
from runtime.store.async_connection import AsyncConnection
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.loop_connection import LoopConnection
from runtime.store.pubsub import PubSub
from runtime.store.redis_url import RedisUrl, SentinelConfig, parse_address
from runtime.store.scripts import Command
from runtime.store.sentinel import locate_blocking
from tests.support.loop_thread import turn_until
from tests.support.redis_server import PING, start_redis
from tests.support.sentinels import WatchedRedis, watched_redis
from tests.support.waiting import allowed, eventually

OUTAGE_LIMIT_S = 5.0


def raw_command(*words: str | int) -> Command[object]:
    return Command(words, lambda reply: reply)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (
            "redis+sentinel://a:1,b,[::1]:3/mymaster",
            RedisUrl(
                watch=SentinelConfig(
                    sentinels=(("a", 1), ("b", 26379), ("::1", 3)), service="mymaster"
                )
            ),
        ),
        (
            "rediss+sentinel://u:p%40@a/m/2?sentinel_username=s&sentinel_password=q%26",
            RedisUrl(
                db=2,
                username="u",
                password="p@",
                tls=True,
                watch=SentinelConfig(
                    sentinels=(("a", 26379),), service="m", username="s", password="q&"
                ),
            ),
        ),
    ],
)
def test_addresses_of_sentinels_are_read(url: str, address: RedisUrl):
    assert parse_address(url) == address


@pytest.mark.parametrize("hosts", ["a:1,b:2", "a:1,b:2/", ",/m", "a:port/m", "a:1,/m", "a/m/x"])
def test_an_address_without_sentinels_or_service_is_refused(hosts: str):
    with pytest.raises(SettingsError, match=r"redis\+sentinel://host1"):
        parse_address(f"redis+sentinel://{hosts}")


def test_a_refused_address_does_not_show_its_password():
    with pytest.raises(SettingsError) as refused:
        parse_address("redis+sentinel://user:hush@a:1,b:2")

    assert "hush" not in str(refused.value)


@contextmanager
def sentinel_saying(answer: bytes | None) -> Iterator[str]:
    """Answer everything with these bytes, or with silence; yield host and port."""
    ended = threading.Event()

    class Conversation(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            if answer is None:
                ended.wait()
            else:
                self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        ended.set()
        server.shutdown()


def names_port(port: int) -> bytes:
    return b"*2\r\n$9\r\n127.0.0.1\r\n$5\r\n%05d\r\n" % port


@pytest.mark.parametrize(
    ("answers", "ports"),
    [
        (
            [names_port(11111), names_port(22222), names_port(22222)],
            [22222],
        ),  # the first has not heard of it
        ([None, names_port(22222), b"*-1\r\n"], [22222]),  # hung; knows no such master
        ([b"-NOAUTH Authentication required.\r\n", names_port(11111), b"nonsense\r\n"], [11111]),
    ],
)
def test_what_most_sentinels_say_is_believed_within_a_second(
    answers: list[bytes | None], ports: list[int]
):
    with ExitStack() as stack:
        hosts = [stack.enter_context(sentinel_saying(answer)) for answer in answers]
        began = time.monotonic()
        found = locate_blocking(parse_address(f"redis+sentinel://{','.join(hosts)}/m"))
        took_s = time.monotonic() - began

    assert [address.port for address in found][: len(ports)] == ports
    assert took_s < allowed(1)


def test_no_sentinel_that_knows_is_told_as_redis_being_away():
    with sentinel_saying(b"*-1\r\n") as host, pytest.raises(StoreUnavailableError, match="'m'"):
        BlockingConnection(f"redis+sentinel://127.0.0.1:1,{host}/m").run(PING)


def test_connections_leave_a_master_that_was_made_a_replica(tmp_path: Path):
    server = start_redis(tmp_path)
    url = f"unix://{tmp_path / 'redis.sock'}"
    connection, other = BlockingConnection(url), BlockingConnection(url)

    async def main() -> None:
        store = AsyncConnection(url)
        await store.run(raw_command("SET", "k", 1))
        other.run(raw_command("REPLICAOF", "127.0.0.1", 1))
        with pytest.raises(StoreRefusedError, match="READONLY"):
            await store.run(raw_command("SET", "k", 2))
        with pytest.raises(StoreUnavailableError, match="takes no writes"):
            await store.run(raw_command("SET", "k", 2))
        other.run(raw_command("REPLICAOF", "NO", "ONE"))
        await store.run(raw_command("SET", "k", 3))
        await store.close()

    connection.run(raw_command("SET", "k", 0))
    asyncio.run(main())
    other.run(raw_command("REPLICAOF", "127.0.0.1", 1))
    with pytest.raises(StoreRefusedError, match="READONLY"):
        connection.run(raw_command("SET", "k", 2))
    with pytest.raises(StoreUnavailableError, match="takes no writes"):
        connection.run(raw_command("SET", "k", 2))

    connection.close()
    other.close()
    server.kill()
    server.wait()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedRedis]:
    with watched_redis(tmp_path_factory.mktemp("watched")) as running:
        yield running


def test_every_connection_finds_the_new_master_after_the_old_one_was_killed(watched: WatchedRedis):
    connection = BlockingConnection(watched.url)
    connection.run(raw_command("SET", "k", "kept"))

    async def main() -> tuple[object, float, bytes]:
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        connected = asyncio.Event()
        store = AsyncConnection(watched.url)
        subscription = PubSub(
            watched.url,
            ["c"],
            on_message=lambda _, data: heard.put_nowait(data),
            on_connect=connected.set,
        )
        subscription.start()
        await store.run(PING)
        await asyncio.wait_for(connected.wait(), 5)
        connected.clear()
        await asyncio.to_thread(watched.kill_master)
        began = time.monotonic()
        while True:
            try:
                kept = await store.run(raw_command("GET", "k"))
                await store.run(raw_command("SET", "k", "new"))
                break
            except StoreError:
                assert time.monotonic() - began < allowed(3 * OUTAGE_LIMIT_S)
                await asyncio.sleep(0.05)
        outage_s = time.monotonic() - began
        await asyncio.wait_for(connected.wait(), 5)
        await store.run(raw_command("PUBLISH", "c", "news"))
        reported = await asyncio.wait_for(heard.get(), 5)
        await subscription.stop()
        await store.close()
        return kept, outage_s, reported

    kept, outage_s, reported = asyncio.run(main())

    assert kept == b"kept"
    assert reported == b"news"
    assert outage_s < allowed(OUTAGE_LIMIT_S)
    assert eventually(lambda: read_k(connection), within_s=2) == b"new"
    connection.close()


def test_a_worker_s_loop_finds_the_new_master(watched: WatchedRedis):
    loop = Loop()
    on_loop = LoopConnection(watched.url, loop)
    heard: list[object] = []
    on_loop.run(raw_command("SET", "k", 0), heard.append)
    turn_until(loop, lambda: heard == [b"OK"])
    on_loop.block(["nothing"], timeout_s=60, receive=heard.append)
    loop.turn(0)
    watched.kill_master()
    turn_until(loop, lambda: isinstance(heard[-1], StoreError))

    def writes() -> bool:
        on_loop.run(raw_command("SET", "k", 1), heard.append)
        count = len(heard)
        turn_until(loop, lambda: len(heard) > count)
        return heard[-1] == b"OK"

    eventually(writes, within_s=3 * OUTAGE_LIMIT_S, every_s=0.05)
    connection = BlockingConnection(watched.url)
    assert eventually(lambda: read_k(connection), within_s=5) == b"1"
    connection.close()
    on_loop.close()
    loop.close()


def read_k(connection: BlockingConnection) -> object:
    try:
        return connection.run(raw_command("GET", "k"))
    except StoreError:
        return None
