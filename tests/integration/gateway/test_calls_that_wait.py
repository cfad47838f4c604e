"""A call whose birth, end, time and client come in any order is answered once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar, cast
from unittest.mock import patch

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.app import create
from gateway.asgi.application import GatewayApplication
from gateway.live.waiters import Arrival, Waiters
from gateway.serving.connection import Connection
from gateway.serving.dispatch import HeadCache
from gateway.serving.limits import ConnectionLimits
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.settings import Settings
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import publish_function
from runtime.store.resp import pack
from tests.support.life import Life

T = TypeVar("T")
ANY = {"type": "object", "additionalProperties": True}
ECHO = Manifest(name="echo", version="v1", file="echo.py", parameters=ANY)
BODY = b'{"a":1}'
LEAVE_S = 0.01
WITHIN_S = 5.0


class Client:
    """Stands in for a client's socket."""

    def __init__(self, application: GatewayApplication, heads: HeadCache) -> None:
        self.written = b""
        self._reported = asyncio.Event()
        config = Config(cast("Any", application), access_log=False)
        config.loaded_app = cast("Any", application)
        self.state = ServerState()
        self._connection = Connection(
            config, self.state, {}, limits=ConnectionLimits(leave_s=LEAVE_S), heads=heads
        )
        self._connection.connection_made(cast("Any", self))

    def call(self, prefer: str = "wait=30", more: str = "") -> None:
        self._reported.clear()
        self._connection.data_received(
            b"POST /functions/echo HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nPrefer: %b\r\n%bContent-Length: %d\r\n\r\n%b"
            % (prefer.encode(), more.encode(), len(BODY), BODY)
        )

    def leave(self) -> None:
        self._connection.connection_lost(None)

    async def answer(self) -> bytes:
        await asyncio.wait_for(self._reported.wait(), WITHIN_S)
        await asyncio.sleep(0)
        return self.written

    def write(self, data: bytes) -> None:
        self.written += data
        self._reported.set()

    def close(self) -> None:
        """The server has said all."""

    def get_extra_info(self, name: str, default: object = None) -> object:  # noqa: ARG002
        return default

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False


class NotedWaiters(Waiters):
    """Tells for which invocations somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []

    @contextmanager
    def expect(self, invocation_id: str) -> Iterator[Arrival]:
        with super().expect(invocation_id) as arrival:
            self.ids.append(invocation_id)
            try:
                yield arrival
            finally:
                self.ids.remove(invocation_id)


class Gateway:
    """The real application, with a hand on who waits in it."""

    def __init__(self, redis_url: str) -> None:
        self.waiters = NotedWaiters()
        with patch("gateway.app.Waiters", lambda: self.waiters):
            self.application = create(Settings(redis=redis_url))
        self._heads = HeadCache()

    def client(self) -> Client:
        return Client(self.application, self._heads)

    async def waited_for(self) -> str:
        """Return the one id that is waited for, as soon as it is."""
        async with asyncio.timeout(WITHIN_S):
            while not self.waiters.ids:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)
        [invocation_id] = self.waiters.ids
        return invocation_id

    async def until_nobody_waits(self) -> None:
        async with asyncio.timeout(WITHIN_S):
            while len(self.waiters):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(LEAVE_S)

    def end(self, invocation_id: str, result: int = 7) -> None:
        fields = "function echo queue default created_at 1 status succeeded version v1 worker w"
        fields += f" started_at 2 attempt 1 token 1 finished_at 3 result {result}"
        self.waiters.notify(f"{invocation_id}\n".encode() + pack(fields.split()))


@asynccontextmanager
async def living(application: GatewayApplication) -> AsyncIterator[None]:
    """Start an application as its server would, and stop it."""
    lifespan: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    reported: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    served = asyncio.create_task(application(scope, lifespan.get, reported.put))
    await lifespan.put({"type": "lifespan.startup"})
    assert (await reported.get())["type"] == "lifespan.startup.complete"
    yield
    await lifespan.put({"type": "lifespan.shutdown"})
    assert (await reported.get())["type"] == "lifespan.shutdown.complete"
    await served


Run = Callable[[Callable[[Gateway], Awaitable[T]]], T]


@pytest.fixture
def run(redis_url: str, life: Life) -> Run[Any]:
    connection = BlockingConnection(redis_url)
    connection.run(
        publish_function("echo", manifest=encode_manifest(ECHO), version="v1", source=b"")
    )
    connection.close()

    @asynccontextmanager
    async def opened() -> AsyncIterator[Gateway]:
        gateway = Gateway(redis_url)
        async with living(gateway.application):
            yield gateway

    def run_it(act: Callable[[Gateway], Awaitable[T]]) -> T:
        async def scenario() -> T:
            async with opened() as gateway:
                return await act(gateway)

        return asyncio.run(scenario())

    return run_it


@pytest.mark.parametrize("more", ["", f"traceparent: 00-{'1' * 32}-{'2' * 16}-01\r\n"])
def test_an_end_that_is_faster_than_the_word_of_the_birth_is_told_after_it(
    run: Run[tuple[bytes, bytes]], more: str
) -> None:
    async def act(gateway: Gateway) -> tuple[bytes, bytes]:
        client = gateway.client()
        client.call(more=more)
        gateway.end(await gateway.waited_for())
        early = client.written
        answer = await client.answer()
        await gateway.until_nobody_waits()
        return early, answer

    early, answer = run(act)

    assert early == b""
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b'"result":7' in answer


def test_a_second_notice_is_not_a_second_answer(run: Run[bytes]) -> None:
    async def act(gateway: Gateway) -> bytes:
        client = gateway.client()
        client.call()
        invocation_id = await gateway.waited_for()
        gateway.end(invocation_id)
        gateway.end(invocation_id, result=8)
        gateway.waiters.drain()
        await client.answer()
        gateway.end(invocation_id, result=9)
        await gateway.until_nobody_waits()
        return client.written

    written = run(act)

    assert written.count(b"HTTP/1.1 ") == 1
    assert b'"result":7' in written


def test_who_has_left_is_forgotten_before_their_time_is_over(run: Run[tuple[int, bytes]]) -> None:
    async def act(gateway: Gateway) -> tuple[int, bytes]:
        client = gateway.client()
        client.call()
        await gateway.waited_for()
        before = len(gateway.waiters)
        client.leave()
        await gateway.until_nobody_waits()
        return before, client.written

    assert run(act) == (1, b"")


def test_who_has_left_before_the_birth_has_called_all_the_same(run: Run[None], life: Life) -> None:
    async def act(gateway: Gateway) -> None:
        client = gateway.client()
        client.call()
        client.leave()
        async with asyncio.timeout(WITHIN_S):
            while client.state.tasks:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(LEAVE_S)

    run(act)

    assert len(life.claim(5).items) == 1
