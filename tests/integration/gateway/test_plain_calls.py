"""A plain call whose birth, end, time and client come in any order is answered once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from gateway.acceptance_log import AcceptanceLog
from gateway.admission import Admission
from gateway.call_plans import CallPlans
from gateway.directory import FunctionDirectory
from gateway.following import Follower
from gateway.plain_calls import BEGUN, PlainCalls
from gateway.serving.exchange import Exchange
from gateway.serving.known_heads import Taker
from gateway.waiting import Waiters
from runtime.registry.manifest import Manifest
from runtime.store.function_calls import publish_function
from runtime.store.line import Line
from runtime.store.multiplexer import Multiplexer
from runtime.store.packing import pack
from tests.support.life import Life

T = TypeVar("T")
ANY = {"type": "object", "additionalProperties": True}
ECHO = Manifest(name="echo", version="v1", file="echo.py", parameters=ANY)
LEAVE_S = 0.01


class Wire:
    """Stands in for a client's socket, and for the server around it."""

    def __init__(self) -> None:
        self.written = b""
        self.served: list[Exchange] = []
        self.finishes = 0
        self.answered = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.written += data

    def own_headers(self) -> bytes:
        return b""

    async def writable(self) -> None:
        """It takes all there is."""

    def wants_body(self) -> None:
        """It has come."""

    def finished(self, exchange: Exchange) -> None:
        assert exchange.closed
        self.finishes += 1
        self.answered.set()

    def serve(self, exchange: Exchange) -> None:
        self.served.append(exchange)
        self.answered.set()


class Gateway:
    """What plain calls need, around a real Redis."""

    def __init__(self, store: Multiplexer) -> None:
        self.waiters = Waiters()
        self.wire = Wire()
        self.directory = FunctionDirectory(store)
        self.calls = PlainCalls(
            directory=self.directory,
            plans=CallPlans(store, gateway_id="g", max_waiting=0),
            follower=Follower(store, self.waiters, "g"),
            waiters=self.waiters,
            admission=Admission(None, max_waiting=0),
            log=AcceptanceLog(),
            max_body_bytes=1000,
        )

    def judge(self, **changed: object) -> Taker | None:
        headers = [(b"content-type", b"application/json"), *changed.pop("more", ())]  # type: ignore[misc]
        scope = {"method": "POST", "path": "/functions/echo", "query_string": b""}
        return self.calls.judge_head({**scope, "headers": headers, **changed})

    def call(self, prefer: bytes = b"wait=30", body: bytes = b'{"a":1}') -> Exchange:
        take = self.judge(more=[(b"prefer", prefer)])
        assert take is not None
        exchange = Exchange(
            {"method": "POST", "http_version": "1.1"}, self.wire, keep_alive=True, take=take
        )
        exchange.feed_whole(body)
        assert take(exchange)
        return exchange

    def end(self) -> None:
        [invocation_id] = list(self.waiters._hearers)
        fields = "function echo queue default created_at 1 status succeeded version v1 worker w"
        fields += " started_at 2 attempt 1 token 1 finished_at 3 result 7"
        self.waiters.notify(f"{invocation_id}\n".encode() + pack(fields.split()))

    async def answer(self) -> bytes:
        await asyncio.wait_for(self.wire.answered.wait(), 5)
        await asyncio.sleep(0)
        return self.wire.written


@pytest.fixture
def run(redis_url: str, life: Life):
    line = Line(redis_url)
    line.run(publish_function("echo", manifest=ECHO.encode(), version="v1", source=b""))
    line.close()

    @asynccontextmanager
    async def opened() -> AsyncIterator[Gateway]:
        store = Multiplexer(redis_url)
        gateway = Gateway(store)
        await gateway.directory.start()
        yield gateway
        await gateway.directory.stop()
        await store.close()

    def run_it(act: Callable[[Gateway], Awaitable[T]]) -> T:
        async def scenario() -> T:
            async with opened() as gateway:
                return await act(gateway)

        return asyncio.run(scenario())

    return run_it


def test_an_end_that_is_faster_than_the_word_of_the_birth_is_told_after_it(run):
    async def act(gateway: Gateway) -> tuple[bytes, bytes, int]:
        gateway.call()
        gateway.end()
        early = gateway.wire.written
        return early, await gateway.answer(), len(gateway.waiters)

    early, answer, still_waiting = run(act)

    assert early == b""
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b'"result":7' in answer
    assert still_waiting == 0


def test_a_second_notice_is_not_a_second_answer(run):
    async def act(gateway: Gateway) -> tuple[int, int]:
        gateway.call()
        hearers = [hear for group in gateway.waiters._hearers.values() for hear in group]
        gateway.end()
        await gateway.answer()
        for hear in hearers:
            hear(None)
        return gateway.wire.finishes, len(gateway.wire.served)

    assert run(act) == (1, 0)


def test_who_has_left_is_forgotten_before_his_time_is_over(run):
    async def act(gateway: Gateway) -> tuple[int, int, bytes]:
        exchange = gateway.call()
        before = len(gateway.waiters)
        exchange.abandon(after_s=LEAVE_S)
        async with asyncio.timeout(5):
            while len(gateway.waiters):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(LEAVE_S)
        return before, len(gateway.waiters), gateway.wire.written

    assert run(act) == (1, 0, b"")


@pytest.mark.parametrize("is_draining_before", [True, False])
def test_a_gateway_that_stops_has_the_application_say_how_it_stands(run, is_draining_before: bool):
    async def act(gateway: Gateway) -> tuple[list[bool], int]:
        if is_draining_before:
            gateway.waiters.drain()
        gateway.call()
        gateway.waiters.drain()
        await gateway.answer()
        return [BEGUN in exchange.scope for exchange in gateway.wire.served], len(gateway.waiters)

    assert run(act) == ([True], 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"query_string": b"tag=a"},
        {"path": "/queues/echo"},
        {"more": [(b"content-type", b"application/json")]},
        {"headers": [(b"content-type", b"text/plain")]},
        {"headers": []},
        *(
            {"more": [(name, b"x")]}
            for name in (
                *(b"authorization", b"origin", b"sec-fetch-site", b"idempotency-key"),
                *(b"traceparent", b"tracestate", b"x-callback-url"),
            )
        ),
    ],
)
def test_a_head_that_says_more_is_for_the_application(run, changed: dict[str, object]):
    async def act(gateway: Gateway) -> Taker | None:
        assert gateway.judge() is not None
        return gateway.judge(**changed)

    assert run(act) is None
