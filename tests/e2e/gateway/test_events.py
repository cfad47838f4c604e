"""GET /invocations/{id}/events, told to by hand: live, replayed, resumed, and dropped."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from runtime.invocations.events import count_events
from runtime.invocations.identifiers import new_invocation_id
from runtime.store.event_calls import Entry, append_events
from runtime.store.invocation_calls import cancel
from runtime.store.scripts import Call
from tests.e2e.gateway.conftest import FUNCTIONS
from tests.support.event_stream import follow, streaming
from tests.support.gateway_process import error_json, running_gateway
from tests.support.redis_server import own_redis
from tests.support.waiting import eventually

OPEN_STREAMS = 500


class Speaker:
    """An attempt that tells what a test has it tell."""

    def __init__(self, gateway, claimed):
        self.gateway = gateway
        self.claimed = claimed
        self.id = claimed.id
        self.number = 0

    def tell(self, *notes: tuple[str, bytes]) -> None:
        entries = []
        for kind, data in notes:
            self.number += count_events(kind, data)
            entries.append(Entry(number=self.number, kind=kind, data=data))
        assert self.gateway.line.run(append_events(self.id, self.claimed.token, entries))

    def finish(self, status: str = "succeeded", **how) -> None:
        self.gateway.finish(self.claimed, status, **how)


@pytest.fixture
def speaker(gateway, http):
    http.post("/functions/greet", json={"name": "Ada"})
    return Speaker(gateway, gateway.claim())


def test_events_arrive_while_the_invocation_runs(http, speaker):
    with streaming(http, speaker.id) as events:
        assert [next(events).value["status"] for _ in range(2)] == ["queued", "running"]
        speaker.tell(("item", b"1"))
        assert (item := next(events)).name == "item"
        assert item.value == 1
        speaker.tell(("log", b"a\nb\n"), ("progress", b'{"done":1}'), ("event", b'["x"]'))
        assert [(e.name, e.value) for e in itertools.islice(events, 4)] == [
            ("log", "a\n"),
            ("log", "b\n"),
            ("progress", {"done": 1}),
            ("event", ["x"]),
        ]
        speaker.finish(result=b'"done"')
        last = list(events)

    assert [e.name for e in last] == ["status", "end"]
    assert last[0].value["status"] == "succeeded"
    assert last[1].value["result"] == "done"


def test_a_finished_invocation_is_replayed_whole_and_ends(http, speaker):
    with ThreadPoolExecutor(1) as pool:
        live = pool.submit(follow, http, speaker.id)
        for number in range(50):
            speaker.tell(("item", b"%d" % number), ("log", b"line\n"))
        speaker.finish(result=b"1")

    replayed = follow(http, speaker.id)

    assert replayed == live.result(10)
    assert [e.value for e in replayed if e.name == "item"] == list(range(50))


def test_a_client_that_drops_and_returns_misses_and_doubles_nothing(http, speaker):
    """The connection is dropped again and again, after so many events, while more come."""
    chance = random.Random(7)
    done = threading.Event()

    def talk() -> None:
        for number in range(400):
            speaker.tell(("item", b"%d\n%d" % (2 * number, 2 * number + 1)))
            if not number % 7:
                time.sleep(0.002)
        speaker.finish(result=b"1")
        done.set()

    talking = threading.Thread(target=talk)
    talking.start()
    heard, drops = [], 0
    while not heard or heard[-1].name != "end":
        with streaming(http, speaker.id, heard[-1].id if heard else "") as events:
            for _, event in zip(range(chance.randrange(1, 40)), events, strict=False):
                heard.append(event)
        drops += 1
    talking.join()

    assert drops > 20
    assert [e.value for e in heard if e.name == "item"] == list(range(800))
    assert [e.value["status"] for e in heard if e.name == "status"] == [
        *("queued", "running", "succeeded")
    ]
    assert heard == follow(http, speaker.id)


def test_every_place_can_be_returned_to(http, speaker):
    speaker.tell(("log", b"a\nb\n"), ("item", b"1\n2\n3"), ("event", b"{}"))
    speaker.finish("retrying")
    speaker.claimed = speaker.gateway.claim()
    speaker.number = 0
    speaker.tell(("item", b"4"))
    speaker.finish(result=b"1")
    everything = follow(http, speaker.id)

    for index, event in enumerate(everything[:-1]):
        assert follow(http, speaker.id, event.id) == everything[index + 1 :]


def test_who_has_had_the_end_is_told_not_to_come_again(http, speaker):
    speaker.finish(result=b"1")
    last = follow(http, speaker.id)[-1].id

    answer = http.get(f"/invocations/{speaker.id}/events", headers={"Last-Event-ID": last})

    assert (answer.status_code, answer.content) == (204, b"")


def test_the_last_id_can_be_given_as_a_parameter_but_the_header_wins(http, speaker):
    speaker.finish(result=b"1")
    path = f"/invocations/{speaker.id}/events?last_event_id=1.0.0"

    by_parameter = http.get(path)
    by_header = http.get(path, headers={"Last-Event-ID": "1.3.0"})

    assert by_parameter.text.count("event: ") == 2
    assert by_header.text.count("event: ") == 1


@pytest.mark.parametrize("last", ["x", "1.1", "1.9.0", "1.1.-1", "7.0.0"])
def test_an_id_that_is_none_of_this_invocation_is_refused_with_what_it_takes(http, speaker, last):
    answer = http.get(f"/invocations/{speaker.id}/events", headers={"Last-Event-ID": last})

    assert (answer.status_code, answer.json()["code"]) == (422, "parameter_invalid")
    assert "Last-Event-ID" in answer.json()["detail"]
    speaker.finish(result=b"1")


def test_an_unknown_invocation_is_404_and_one_that_is_no_longer_kept_410(http):
    never = http.get("/invocations/nonsense/events")
    gone = http.get(f"/invocations/{new_invocation_id()}/events")

    assert (never.status_code, never.json()["code"]) == (404, "invocation_not_found")
    assert (gone.status_code, gone.json()["code"]) == (410, "invocation_gone")


def test_an_invocation_cancelled_while_it_waits_ends_its_streams(gateway, http):
    invocation_id = http.post("/functions/greet", json={"name": "a"}).json()["id"]
    with streaming(http, invocation_id) as events:
        assert next(events).value["status"] == "queued"
        gateway.line.run(cancel(invocation_id))

        assert [e.value["status"] for e in events] == ["cancelled", "cancelled"]


def test_failures_and_retries_are_told_with_their_errors(http, speaker):
    error = error_json("exception", "no")
    speaker.finish("retrying", error=error)
    speaker.claimed = speaker.gateway.claim()
    speaker.finish("failed", error=error)

    told = [e.value for e in follow(http, speaker.id) if e.name == "status"]

    assert [(s["status"], s["attempt"]) for s in told] == [
        *(("queued", 0), ("running", 1), ("retrying", 1), ("running", 2), ("failed", 2))
    ]
    assert [s["error"]["message"] for s in told if "error" in s] == ["no", "no"]


def test_head_says_what_get_would_and_does_not_wait(http, speaker):
    answer = http.head(f"/invocations/{speaker.id}/events")

    assert answer.headers["content-type"] == "text/event-stream"
    speaker.finish(result=b"1")


def test_text_cannot_break_out_of_its_event(http, speaker):
    speaker.tell(("log", b"a\rid: 9.9.9\rdata: x\n"), ("event", b'"x"\r\revent: end\rdata: 1'))
    speaker.finish(result=b"1")

    heard = follow(http, speaker.id)

    assert [e.name for e in heard] == ["status", "status", "log", "event", "status", "end"]
    assert heard[2].value == "a\rid: 9.9.9\rdata: x\n"


def test_more_than_is_kept_is_told_as_missing(http, speaker):
    speaker.tell(*(("event", b'"%s"' % (b"x" * 100_000)) for _ in range(100)))
    speaker.finish(result=b"1")

    text = http.get(f"/invocations/{speaker.id}/events").text

    assert " events are no longer kept\n\n" in text
    kept = text.count("event: event")
    assert f": {100 - kept} events are no longer kept" in text
    assert 20 < kept < 50


def test_after_a_lost_subscription_every_open_stream_looks_again(gateway, http, speaker):
    with streaming(http, speaker.id, timeout_s=5) as events:
        assert [next(events).name for _ in range(2)] == ["status", "status"]
        speaker.tell(("item", b"0"))
        assert next(events).value == 0

        gateway.line.run(Call(("CLIENT", "KILL", "TYPE", "pubsub"), lambda reply: reply))
        speaker.tell(("item", b"1"))  # nobody hears this poke

        assert next(events).value == 1
        speaker.finish(result=b"1")
        assert list(events)[-1].name == "end"


async def read_all(port, ids, talk):
    """Open a stream of each invocation, then have them talk; return all that was streamed."""
    streams = [await asyncio.open_connection("127.0.0.1", port, limit=2**20) for _ in ids]
    for (_, writer), invocation_id in zip(streams, ids, strict=True):
        writer.write(f"GET /invocations/{invocation_id}/events HTTP/1.0\r\n\r\n".encode())
    for reader, _ in streams:
        await asyncio.wait_for(reader.readuntil(b'"running"'), 20)
    talking = asyncio.create_task(asyncio.to_thread(talk))
    told = await asyncio.wait_for(asyncio.gather(*(reader.read() for reader, _ in streams)), 40)
    await talking
    for _, writer in streams:
        writer.close()
    return told


def test_five_hundred_open_streams_get_all_events(gateway, http, speaker):
    """Half of them on one invocation, half on one each; over connections of their own."""
    speakers = [speaker]
    for _ in range(OPEN_STREAMS // 2):
        http.post("/functions/greet", json={"name": "x"})
        speakers.append(Speaker(gateway, gateway.claim()))
    ids = [one.id for one in (*[speaker] * (OPEN_STREAMS // 2), *speakers[1:])]
    count_clients = Call(("CLIENT", "LIST"), lambda reply: reply.count(b"\n"))
    before, meanwhile = gateway.line.run(count_clients), []

    def talk() -> None:
        meanwhile.append(gateway.line.run(count_clients))
        for number in range(10):
            for one in speakers:
                one.tell(("item", b"%d" % number))
        for one in speakers:
            one.finish(result=b"1")

    told = asyncio.run(read_all(gateway.port, ids, talk))

    assert len(told) == OPEN_STREAMS
    for text in told:
        items = [part.split(b"\n")[0] for part in text.split(b"event: item\ndata: ")[1:]]
        assert items == [b"%d" % number for number in range(10)]
        assert text.count(b"event: end") == 1
    assert meanwhile == [before]  # a stream has no connection to Redis of its own


def test_slow_readers_cost_no_memory_and_hold_up_nobody(gateway, http, speaker):
    [worker] = psutil.Process(gateway.pid).children()
    slow = [gateway.connect() for _ in range(40)]
    for sock in slow:
        sock.sendall(f"GET /invocations/{speaker.id}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    follow_fast = ThreadPoolExecutor(1).submit(follow, http, speaker.id)
    before_bytes = worker.memory_info().rss

    for _ in range(35):
        speaker.tell(("event", b'"%s"' % (b"x" * 100_000)))
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

    assert time.monotonic() - began < 5


def test_clients_that_leave_are_forgotten(gateway, http, speaker):
    [worker] = psutil.Process(gateway.pid).children()
    before = len(worker.net_connections())

    for _ in range(30):
        with streaming(http, speaker.id) as events:
            next(events)
    speaker.tell(("item", b"1"))

    eventually(lambda: len(worker.net_connections()) <= before, within_s=10)
    speaker.finish(result=b"1")
    assert follow(http, speaker.id)[-1].name == "end"
