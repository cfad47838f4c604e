"""The two kinds of connection, when Redis is well and when it is not."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from pathlib import Path
from threading import Thread

import pytest

from runtime.errors import SettingsError, StoreError, StoreTooOldError, StoreUnavailableError
from runtime.store.async_connection import AsyncConnection
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.pubsub import PubSub
from runtime.store.redis_url import RedisUrl, check_version, parse_address
from runtime.store.scripts import Command
from tests.support.life import Life
from tests.support.redis_server import start_redis
from tests.support.waiting import allowed, eventually

PING: Command[bytes] = Command(("PING",), lambda reply: reply)


def call(*words: str | int) -> Command[object]:
    return Command(words, lambda reply: reply)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://h:1/2", RedisUrl(host="h", port=1, db=2)),
        ("redis://u:p%40@h", RedisUrl(host="h", username="u", password="p@")),
        ("rediss://h", RedisUrl(host="h", tls=True)),
        ("unix:///tmp/s?db=3", RedisUrl(path="/tmp/s", db=3)),
        ("unix://:pw@/tmp/s", RedisUrl(path="/tmp/s", password="pw")),
    ],
)
def test_addresses_are_read(url: str, address: RedisUrl):
    assert parse_address(url) == address


@pytest.mark.parametrize("url", ["", "localhost:6379", "http://h", "redis://h:port", "unix://"])
def test_a_wrong_address_is_refused_with_an_example(url: str):
    with pytest.raises(SettingsError, match="redis://127"):
        parse_address(url)


def test_a_server_older_than_6_2_is_refused_and_newer_ones_are_not():
    with pytest.raises(StoreTooOldError, match=r"5\.0 is too old"):
        check_version(b"redis_version:5.0.14\r\n")
    check_version(b"redis_version:6.2.0\r\n")
    check_version(b"redis_version:10.0.0\r\n")


def test_a_line_opens_again_after_its_connection_was_killed(
    connection: BlockingConnection, redis_url: str
):
    connection.run(call("CLIENT", "ID"))
    other = BlockingConnection(redis_url)
    other.run(call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))

    with pytest.raises(StoreUnavailableError):
        connection.run(PING)

    assert connection.run(PING) == b"PONG"
    other.close()


def test_scripts_survive_a_script_flush(life: Life):
    life.submit()
    life.command("SCRIPT", "FLUSH")

    assert life.claim().items


def test_an_error_reply_is_raised_as_ours(connection: BlockingConnection):
    with pytest.raises(StoreError, match="wrong number of arguments"):
        connection.run(call("GET"))


def test_who_answers_the_handshake_as_no_redis_does_is_told_as_away():
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = BlockingConnection(f"redis://127.0.0.1:{server.getsockname()[1]}")

        def answer() -> None:
            other, _ = server.accept()
            with other:
                other.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                other.recv(1_000)

        answering = Thread(target=answer)
        answering.start()
        with pytest.raises(StoreUnavailableError):
            connection.run(PING)
        answering.join()


def test_blocking_returns_as_soon_as_there_is_something(
    connection: BlockingConnection, redis_url: str
):
    pusher = BlockingConnection(redis_url)
    pusher.run(call("RPUSH", "k", "v"))

    assert connection.block(["k"], timeout_s=5) == ("k", b"v")
    assert connection.block(["k"], timeout_s=0.01) is None
    pusher.close()


def test_half_closing_ends_a_wait_at_once_and_the_line_opens_again(life: Life, redis_url: str):
    blocked = BlockingConnection(redis_url)
    ended: list[str] = []

    def wait() -> None:
        with pytest.raises(StoreUnavailableError):
            blocked.block(["k"], timeout_s=30)
        ended.append("ended")

    waiting = Thread(target=wait)
    waiting.start()
    eventually(lambda: b"cmd=blpop" in life.command("CLIENT", "LIST"))
    blocked.half_close()
    waiting.join(2)

    assert ended == ["ended"]
    assert blocked.run(PING) == b"PONG"
    blocked.half_close()
    assert blocked.run(PING) == b"PONG"
    blocked.close()


def test_concurrent_requests_share_a_connection_and_keep_their_answers(redis_url: str):
    async def main() -> tuple[list[object], int]:
        store = AsyncConnection(redis_url)
        answers = await asyncio.gather(*(store.run(call("ECHO", i)) for i in range(500)))
        clients = await store.run(call("CLIENT", "LIST"))
        await store.close()
        return answers, str(clients).count("id=")

    answers, clients = asyncio.run(main())

    assert answers == [str(i).encode() for i in range(500)]
    assert clients <= 3


def test_a_hung_redis_is_told_within_its_timeout_and_resumed_after(tmp_path: Path):
    server = start_redis(tmp_path)
    url = f"unix://{tmp_path / 'redis.sock'}"

    async def main() -> tuple[float, bytes]:
        store = AsyncConnection(url, timeout_s=0.3)
        await store.run(PING)
        server.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        for _ in range(2):
            with pytest.raises(StoreUnavailableError):
                await store.run(PING)
        took_s = time.monotonic() - began
        server.send_signal(signal.SIGCONT)
        answer = await store.run(PING)
        await store.close()
        return took_s, answer

    took_s, answer = asyncio.run(main())
    server.terminate()
    server.wait()

    assert 0.5 < took_s < allowed(1.0)
    assert answer == b"PONG"


def test_requests_fail_at_once_when_redis_dies_and_work_again_when_it_is_back(tmp_path: Path):
    server = start_redis(tmp_path)
    url = f"unix://{tmp_path / 'redis.sock'}"

    async def main() -> bytes:
        nonlocal server
        store = AsyncConnection(url)
        await store.run(PING)
        server.kill()
        server.wait()
        with pytest.raises(StoreUnavailableError):
            await store.run(PING)
        server = await asyncio.to_thread(start_redis, tmp_path)
        answer = await store.run(PING)
        await store.close()
        return answer

    assert asyncio.run(main()) == b"PONG"
    server.terminate()
    server.wait()


def test_a_subscription_tells_of_every_reconnection(redis_url: str):
    async def main() -> tuple[int, list[bytes]]:
        connected = asyncio.Event()
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        connections = 0

        def on_connect() -> None:
            nonlocal connections
            connections += 1
            connected.set()

        listening = PubSub(
            redis_url,
            ["c"],
            on_message=lambda _, data: heard.put_nowait(data),
            on_connect=on_connect,
        )
        store = AsyncConnection(redis_url)
        listening.start()
        await asyncio.wait_for(connected.wait(), 5)
        await store.run(call("PUBLISH", "c", "one"))
        first = await asyncio.wait_for(heard.get(), 5)
        connected.clear()
        await store.run(call("CLIENT", "KILL", "TYPE", "pubsub"))
        await asyncio.wait_for(connected.wait(), 5)
        await store.run(call("PUBLISH", "c", "two"))
        second = await asyncio.wait_for(heard.get(), 5)
        await listening.stop()
        await store.close()
        return connections, [first, second]

    assert asyncio.run(main()) == (2, [b"one", b"two"])


def test_a_subscription_that_was_refused_is_tried_again(tmp_path: Path):
    server = start_redis(tmp_path)
    url = f"unix://{tmp_path}/redis.sock"

    async def main() -> int:
        refused, connected = asyncio.Event(), asyncio.Event()
        store = AsyncConnection(url)
        await store.run(call("ACL", "SETUSER", "default", "-subscribe"))
        listening = PubSub(
            url,
            ["c"],
            on_message=lambda *_: None,
            on_connect=connected.set,
            on_disconnect=refused.set,
        )
        listening.start()
        await asyncio.wait_for(refused.wait(), 5)
        await store.run(call("ACL", "SETUSER", "default", "+subscribe"))
        await asyncio.wait_for(connected.wait(), 5)
        subscribers = await store.run(call("PUBLISH", "c", "one"))
        await listening.stop()
        await store.close()
        assert isinstance(subscribers, int)
        return subscribers

    try:
        assert asyncio.run(main()) == 1
    finally:
        server.terminate()
        server.wait()
