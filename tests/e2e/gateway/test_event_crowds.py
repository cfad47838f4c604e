"""Many event streams at once, slow ones, ones that are dropped: they cost and harm nothing."""

from __future__ import annotations

import asyncio
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil

from runtime.store.scripts import Command
from tests.e2e.gateway.conftest import FUNCTIONS
from tests.support.event_stream import follow, streaming
from tests.support.gateway_process import running_gateway
from tests.support.redis_server import own_redis
from tests.support.speaker import Speaker
from tests.support.waiting import allowed, eventually

OPEN_STREAMS = 500
COMING_AT_ONCE = 50


async def read_all(port, ids, talk):
    """Open a stream of each invocation, then have them talk; return all that was streamed."""
    streams = []
    for start in range(0, len(ids), COMING_AT_ONCE):
        for invocation_id in ids[start : start + COMING_AT_ONCE]:
            streams.append(await asyncio.open_connection("127.0.0.1", port, limit=2**20))
            request = f"GET /invocations/{invocation_id}/events HTTP/1.0\r\nHost: localhost\r\n\r\n"
            streams[-1][1].write(request.encode())
        for reader, _ in streams[start:]:
            await asyncio.wait_for(reader.readuntil(b'"running"'), 20)
    talking = asyncio.create_task(asyncio.to_thread(talk))
    reported = await asyncio.wait_for(asyncio.gather(*(reader.read() for reader, _ in streams)), 40)
    await talking
    for _, writer in streams:
        writer.close()
    return reported


def test_five_hundred_open_streams_get_all_events(gateway, http, speaker):
    """Half of them on one invocation, half on one each; over connections of their own."""
    speakers = [speaker]
    for _ in range(OPEN_STREAMS // 2):
        http.post("/functions/greet", json={"name": "x"})
        speakers.append(Speaker(gateway, gateway.claim()))
    ids = [one.id for one in (*[speaker] * (OPEN_STREAMS // 2), *speakers[1:])]
    count_clients = Command(("CLIENT", "LIST"), lambda reply: reply.count(b"\n"))
    before, meanwhile = gateway.connection.run(count_clients), []

    def talk() -> None:
        meanwhile.append(gateway.connection.run(count_clients))
        for number in range(10):
            for one in speakers:
                one.append(("item", b"%d" % number))
        for one in speakers:
            one.finish(result=b"1")

    reported = asyncio.run(read_all(gateway.port, ids, talk))

    assert len(reported) == OPEN_STREAMS
    for text in reported:
        items = [part.split(b"\n")[0] for part in text.split(b"event: item\ndata: ")[1:]]
        assert items == [b"%d" % number for number in range(10)]
        assert text.count(b"event: end") == 1
    assert meanwhile[0] < before + 5  # a stream has no connection to Redis of its own


def test_slow_readers_cost_no_memory_and_hold_up_nobody(gateway, http, speaker):
    [worker] = psutil.Process(gateway.pid).children()
    slow = [gateway.connect() for _ in range(40)]
    for sock in slow:
        sock.sendall(
            f"GET /invocations/{speaker.id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        )
    follow_fast = ThreadPoolExecutor(1).submit(follow, http, speaker.id)
    before_bytes = worker.memory_info().rss

    for _ in range(35):
        speaker.append(("event", b'"%s"' % (b"x" * 100_000)))
    speaker.finish(result=b"1")

    assert len([e for e in follow_fast.result(20) if e.name == "event"]) == 35
    grown_bytes = worker.memory_info().rss - before_bytes
    assert grown_bytes < 40 * 1_000_000  # each would have had 3.5 MB waiting
    for sock in slow:
        sock.close()


def test_a_stopping_gateway_ends_its_streams_where_they_are(tmp_path):
    with own_redis(tmp_path) as url, running_gateway(url) as gateway:
        gateway.publish(*FUNCTIONS)
        with httpx.Client(base_url=gateway.url, timeout=20, trust_env=False) as http:
            http.post("/functions/greet", json={"name": "Ada"})
            gateway.claim()
            page = http.post("/functions/greet", json={"name": "Ada"}).json()["id"]
            with streaming(http, page) as events:
                assert next(events).name == "status"
                began = time.monotonic()
                gateway.signal(signal.SIGTERM)

                assert list(events) == []

    assert time.monotonic() - began < allowed(5)


def test_clients_that_leave_are_forgotten(gateway, http, speaker):
    [worker] = psutil.Process(gateway.pid).children()
    before = len(worker.net_connections())

    for _ in range(30):
        with streaming(http, speaker.id) as events:
            next(events)
    speaker.append(("item", b"1"))

    eventually(lambda: len(worker.net_connections()) <= before, within_s=10)
    speaker.finish(result=b"1")
    assert follow(http, speaker.id)[-1].name == "end"
