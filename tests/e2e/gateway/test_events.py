"""GET /invocations/{id}/events, told to by hand: live, replayed, resumed, and dropped."""

from __future__ import annotations

import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from runtime.invocations.ids import new_invocation_id
from runtime.store.invocation_commands import cancel
from runtime.store.scripts import Command
from tests.support.event_stream import follow, streaming
from tests.support.gateway_process import error_json


def test_events_arrive_while_the_invocation_runs(http, speaker):
    with streaming(http, speaker.id) as events:
        assert [next(events).value["status"] for _ in range(2)] == ["queued", "running"]
        speaker.append(("item", b"1"))
        assert (item := next(events)).name == "item"
        assert item.value == 1
        speaker.append(("log", b"a\nb\n"), ("progress", b'{"done":1}'), ("event", b'["x"]'))
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
            speaker.append(("item", b"%d" % number), ("log", b"line\n"))
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
            speaker.append(("item", b"%d\n%d" % (2 * number, 2 * number + 1)))
            if not number % 7:
                time.sleep(0.002)
        speaker.finish(result=b"1")
        done.set()

    talking = threading.Thread(target=talk)
    talking.start()
    heard, drops = [], 0
    while not heard or heard[-1].name != "end":
        with streaming(http, speaker.id, heard[-1].id if heard else "") as events:
            heard += itertools.islice(events, chance.randrange(1, 40))
        drops += 1
    talking.join()

    assert drops > 20
    assert [e.value for e in heard if e.name == "item"] == list(range(800))
    assert [e.value["status"] for e in heard if e.name == "status"] == [
        *("queued", "running", "succeeded")
    ]
    assert heard == follow(http, speaker.id)


def test_every_place_can_be_returned_to(http, speaker):
    speaker.append(("log", b"a\nb\n"), ("item", b"1\n2\n3"), ("event", b"{}"))
    speaker.finish("retrying")
    speaker.claimed = speaker.gateway.claim()
    speaker.number = 0
    speaker.append(("item", b"4"))
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
        gateway.connection.run(cancel(invocation_id))

        assert [e.value["status"] for e in events] == ["cancelled", "cancelled"]


def test_failures_and_retries_are_told_with_their_errors(http, speaker):
    error = error_json("exception", "no")
    speaker.finish("retrying", error=error)
    speaker.claimed = speaker.gateway.claim()
    speaker.finish("failed", error=error)

    reported = [e.value for e in follow(http, speaker.id) if e.name == "status"]

    assert [(s["status"], s["attempt"]) for s in reported] == [
        *(("queued", 0), ("running", 1), ("retrying", 1), ("running", 2), ("failed", 2))
    ]
    assert [s["error"]["message"] for s in reported if "error" in s] == ["no", "no"]


def test_head_says_what_get_would_and_does_not_wait(http, speaker):
    answer = http.head(f"/invocations/{speaker.id}/events")

    assert answer.headers["content-type"] == "text/event-stream"
    speaker.finish(result=b"1")


def test_text_cannot_break_out_of_its_event(http, speaker):
    speaker.append(("log", b"a\rid: 9.9.9\rdata: x\n"), ("event", b'"x"\r\revent: end\rdata: 1'))
    speaker.finish(result=b"1")

    heard = follow(http, speaker.id)

    assert [e.name for e in heard] == ["status", "status", "log", "event", "status", "end"]
    assert heard[2].value == "a\rid: 9.9.9\rdata: x\n"


def test_more_than_is_kept_is_told_as_missing(http, speaker):
    speaker.append(*(("event", b'"%s"' % (b"x" * 100_000)) for _ in range(100)))
    speaker.finish(result=b"1")

    text = http.get(f"/invocations/{speaker.id}/events").text

    assert " events are no longer kept\n\n" in text
    kept = text.count("event: event")
    assert f": {100 - kept} events are no longer kept" in text
    assert 20 < kept < 50


def test_after_a_lost_subscription_every_open_stream_looks_again(gateway, http, speaker):
    with streaming(http, speaker.id, timeout_s=5) as events:
        assert [next(events).name for _ in range(2)] == ["status", "status"]
        speaker.append(("item", b"0"))
        assert next(events).value == 0

        gateway.connection.run(Command(("CLIENT", "KILL", "TYPE", "pubsub"), lambda reply: reply))
        speaker.append(("item", b"1"))  # nobody hears this poke

        assert next(events).value == 1
        speaker.finish(result=b"1")
        assert list(events)[-1].name == "end"
