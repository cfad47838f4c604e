"""Event streams inside a gateway: signs of life, shared readings, and nothing left behind."""

from __future__ import annotations

import asyncio
import signal

import falcon.testing
import pytest

from gateway.asgi.application import GatewayApplication
from gateway.asgi.body_limits import BodyLimits
from gateway.asgi.error_handlers import install_error_handlers
from gateway.auth.caller import ANYBODY, CALLER
from gateway.live.event_reader import EventReader
from gateway.live.event_streams import EventStreams
from gateway.resources.events import Events
from gateway.serving.limits import ConnectionLimits
from runtime.invocations.events import NOWHERE
from runtime.settings import Settings
from runtime.store.async_connection import AsyncConnection
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.event_commands import Entry, append_events
from tests.support.life import Life
from tests.support.monitoring import monitored
from tests.support.redis_server import start_redis


class StreamBench:
    """Streams over a real Redis, poked by hand."""

    def __init__(self, url: str, heartbeat_s: float, timeout_s: float = 1.0) -> None:
        self.store = AsyncConnection(url, timeout_s=timeout_s)
        self.reader = EventReader(self.store, "g")
        self.streams = EventStreams(self.reader, heartbeat_s=heartbeat_s)

    async def next(self, stream, within_s: float = 5) -> bytes:
        return await asyncio.wait_for(anext(stream), within_s)


@pytest.fixture
def run(redis_url: str):
    """Run a scenario with a bench of its own."""

    def run_scenario(scenario, *, heartbeat_s: float = 60):
        async def whole():
            bench = StreamBench(redis_url, heartbeat_s)
            try:
                return await scenario(bench)
            finally:
                await bench.store.close()

        return asyncio.run(whole())

    return run_scenario


@pytest.fixture
def begun(life: Life):
    life.submit()
    return life.claim_one(lease_ms=60_000)


def append_numbers(life: Life, claimed, *numbers: int) -> None:
    entries = [Entry(number=n, kind="event", data=b"%d" % n) for n in numbers]
    assert life.connection.run(
        append_events(claimed.id, claimed.token, entries, worker=claimed.worker)
    )


def test_a_silent_stream_gives_signs_of_life(run, begun):
    async def scenario(bench):
        stream = await bench.streams.open(begun.id, NOWHERE)
        return [await bench.next(stream) for _ in range(4)]

    first, *rest = run(scenario, heartbeat_s=0.05)

    assert first.startswith(b"retry: 1000\n\nid: 0.0.0\n")
    assert rest == [b": still here\n\n"] * 3


def test_what_comes_between_the_first_look_and_the_first_poke_is_not_missed(run, life, begun):
    async def scenario(bench):
        stream = await bench.streams.open(begun.id, NOWHERE)
        append_numbers(life, begun, 1)
        await bench.next(stream)
        return await bench.next(stream)

    assert b"id: 1.1.1\n" in run(scenario)


def test_a_missed_poke_is_made_good_at_the_next_sign_of_life(run, life, begun):
    async def scenario(bench):
        stream = await bench.streams.open(begun.id, NOWHERE)
        await bench.next(stream)
        await asyncio.wait([asyncio.create_task(bench.next(stream))], timeout=0.1)
        append_numbers(life, begun, 1)
        return [await bench.next(stream) for _ in range(2)]

    assert any(b"id: 1.1.1\n" in text for text in run(scenario, heartbeat_s=0.2))


def test_streams_at_one_place_share_what_is_read(run, life, begun, redis_url):
    async def scenario(bench):
        streams = [await bench.streams.open(begun.id, NOWHERE) for _ in range(50)]
        for stream in streams:
            await bench.next(stream)
        waiting = [asyncio.create_task(bench.next(stream)) for stream in streams]
        await asyncio.sleep(0.1)  # all have looked once more, and wait
        append_numbers(life, begun, 1)
        with monitored(redis_url.removeprefix("unix://")) as monitor:
            bench.streams.notify(begun.id)
            reported = await asyncio.gather(*waiting)
        return monitor.seen["read_events"], set(reported)

    readings, reported = run(scenario)

    assert len(reported) == 1
    assert readings <= 2


def test_a_reading_from_before_the_news_does_not_serve_who_comes_after_them(run, life, begun):
    async def scenario(bench):
        early = asyncio.create_task(bench.reader.read(begun.id, NOWHERE))
        await asyncio.sleep(0)
        bench.streams.notify(begun.id)
        late = asyncio.create_task(bench.reader.read(begun.id, NOWHERE))
        await asyncio.sleep(0)
        first, second = await early, await late
        return first is second, len(bench.reader)

    assert run(scenario) == (False, 0)


def test_streams_end_with_the_process_and_leave_nothing(run, begun):
    async def scenario(bench):
        stream = await bench.streams.open(begun.id, NOWHERE)
        await bench.next(stream)
        assert len(bench.streams) == 1
        bench.streams.drain()
        rest = [text async for text in stream]
        late = await bench.streams.open(begun.id, NOWHERE)
        reported = [text async for text in late]
        return rest, len(reported), len(bench.streams)

    assert run(scenario) == ([], 1, 0)


def test_a_stream_whose_invocation_goes_ends(run, life, begun):
    async def scenario(bench):
        stream = await bench.streams.open(begun.id, NOWHERE)
        await bench.next(stream)
        life.command("DEL", life.key("record", begun.id))
        bench.streams.notify(begun.id)
        return [text async for text in stream]

    assert run(scenario) == []


def test_redis_away_ends_no_stream(tmp_path):
    server = start_redis(tmp_path)
    url = f"unix://{tmp_path / 'redis.sock'}"
    life = Life(BlockingConnection(url))
    life.submit()
    begun = life.claim_one(lease_ms=60_000)

    async def scenario():
        bench = StreamBench(url, heartbeat_s=0.2, timeout_s=0.1)
        stream = await bench.streams.open(begun.id, NOWHERE)
        await bench.next(stream)
        server.send_signal(signal.SIGSTOP)
        meanwhile = [await bench.next(stream) for _ in range(3)]
        server.send_signal(signal.SIGCONT)
        append_numbers(life, begun, 1)
        while (text := await bench.next(stream)).startswith(b":"):
            pass
        await bench.store.close()
        return meanwhile, text

    meanwhile, text = asyncio.run(scenario())
    life.connection.close()
    server.kill()
    server.wait()

    assert meanwhile == [b": still here\n\n"] * 3
    assert b"id: 1.1.1\n" in text


@pytest.mark.parametrize("leaves", ["while waiting", "while not reading"])
def test_a_client_that_goes_away_is_forgotten(run, life, begun, leaves):
    async def scenario(bench):
        app = GatewayApplication(
            limits=ConnectionLimits(),
            drain=bench.streams.drain,
            body_limits=BodyLimits(Settings()),
            middleware=[],
        )
        install_error_handlers(app)
        app.add_route("/invocations/{invocation_id}/events", Events(bench.streams, None))
        scope = falcon.testing.create_scope(path=f"/invocations/{begun.id}/events")
        scope[CALLER] = ANYBODY
        sent, stuck = asyncio.Event(), asyncio.Event()

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            if message["type"] == "http.response.body":
                sent.set()
                if leaves == "while not reading":
                    await stuck.wait()

        request = asyncio.create_task(app(scope, receive, send))
        await asyncio.wait_for(sent.wait(), 5)
        open_before = len(bench.streams)
        request.cancel()
        await asyncio.wait([request])
        left = len(bench.streams), len(bench.reader)
        looked_at = []
        bench.reader.outdate = looked_at.append
        bench.streams.look_again()  # at all that it remembers
        return open_before, left, looked_at

    assert run(scenario) == (1, (0, 0), [])
