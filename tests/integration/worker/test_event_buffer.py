"""What attempts tell reaches Redis in order, whole and before their endings."""

from __future__ import annotations

import threading
import time

import pytest

from runtime.invocations.output import output_of
from runtime.store.invocation_commands import read_outputs
from runtime.worker import event_buffer as telling_module
from tests.integration.worker.listening import Hearing, events, numbers, silent
from tests.support.life import Life
from tests.support.monitoring import monitored
from tests.support.waiting import eventually


@pytest.fixture
def hearing(redis_url: str):
    made = Hearing(redis_url)
    yield made
    made.stop()


@pytest.fixture
def claimed(life: Life):
    life.submit()
    return life.claim_one(lease_ms=60_000)


def test_what_is_told_is_written_while_the_attempt_runs(life: Life, hearing: Hearing, claimed):
    pending_events = hearing.listen(claimed)
    pending_events.put("progress", b'{"done":1}')
    pending_events.put("item", b"1")
    pending_events.put("log", b"a line\n")

    eventually(lambda: len(events(life, claimed)) == 3)

    assert events(life, claimed) == [
        ("progress", b'{"done":1}'),
        ("item", b"1"),
        ("log", b"a line\n"),
    ]
    assert life.read(claimed.id).progress == b'{"done":1}'


def test_output_alone_is_written_after_a_moment(life: Life, hearing: Hearing, claimed):
    pending_events = hearing.listen(claimed)

    pending_events.put("log", b"a")
    pending_events.put("log", b"b\n")

    eventually(lambda: events(life, claimed) == [("log", b"ab\n")])


def test_a_character_that_comes_in_two_pieces_stays_whole(life: Life, hearing: Hearing, claimed):
    pending_events = hearing.listen(claimed)
    first, second = "é".encode()[:1], "é".encode()[1:]

    pending_events.put("log", b"x" + first)
    eventually(lambda: events(life, claimed))
    pending_events.put("log", second)
    eventually(lambda: len(events(life, claimed)) == 2)

    assert events(life, claimed) == [("log", b"x"), ("log", "é".encode())]


def test_many_are_grouped_and_keep_their_order(
    life: Life, redis_url: str, hearing: Hearing, claimed
):
    pending_events = hearing.listen(claimed)

    with monitored(redis_url.removeprefix("unix://")) as monitor:
        for number in range(5_000):
            pending_events.put("item", b"%d" % number)
        hearing.settle(pending_events)

    items = b"\n".join(data for kind, data in events(life, claimed) if kind == "item")
    assert items == b"\n".join(b"%d" % number for number in range(5_000))
    assert numbers(life, claimed)[-1] == 5_000
    assert monitor.seen["append_events"] < 100


@pytest.mark.parametrize("is_late", [True, False])
def test_last_words_while_a_writing_is_under_way_are_taken_once(
    life: Life, claimed, *, is_late: bool
):
    pending_events = silent(claimed)
    pending_events.put("event", b"1")
    under_way = pending_events.take()
    assert under_way is not None
    pending_events.put("event", b"2")
    assert pending_events.take() is None, "one writing at a time"

    words = pending_events.last_words(is_final=True)
    calls = [*words, under_way] if is_late else [under_way, *words]
    for call in calls:
        life.connection.run(call)

    assert [data for _, data in events(life, claimed)] == [b"1", b"2"]
    assert pending_events.written(reply=True) is False
    assert pending_events.take() is None


def test_endings_come_right_behind_what_is_being_written(life: Life, hearing: Hearing):
    claims = []
    for _ in range(50):
        life.submit()
        claims.append(life.claim_one(lease_ms=60_000))
    for claimed in claims:
        pending_events = hearing.listen(claimed)
        pending_events.put("item", b"1")
        hearing.on_loop.do(lambda: None)  # the writing may have begun, or not
        pending_events.put("item", b"2")

        hearing.settle(pending_events)

        reported = b"\n".join(data for _, data in events(life, claimed))
        assert reported == b"1\n2"


def test_of_progress_that_was_not_written_the_last_is_enough(life: Life, hearing: Hearing, claimed):
    pending_events = silent(claimed)
    for number in range(1_000):
        pending_events.put("progress", b'{"done":%d}' % number)
    pending_events.put("item", b"1")

    hearing.settle_silent(claimed, pending_events)

    assert events(life, claimed) == [("progress", b'{"done":999}'), ("item", b"1")]


@pytest.mark.parametrize(
    ("status", "reported"),
    [("succeeded", 0), ("failed", 0), ("cancelled", 0), ("retrying", 1), ("lost", 1)],
)
def test_a_little_output_goes_with_the_record_when_that_ends(
    life: Life, hearing: Hearing, claimed, status: str, reported: int
):
    pending_events = silent(claimed)
    pending_events.put("log", b"line\n")

    hearing.settle_silent(claimed, pending_events, status)

    assert len(events(life, claimed)) == reported
    earlier = life.connection.run(read_outputs(claimed.id, life.connection.keys))
    assert output_of(life.read(claimed.id), earlier).of_attempts == {1: b"line\n"}


def test_an_attempt_that_tells_nothing_or_prints_a_little_costs_one_command(
    life: Life, redis_url: str, hearing: Hearing
):
    claims = []
    for _ in range(2):
        life.submit()
        claims.append(life.claim_one())
    quiet, printing = map(silent, claims)
    printing.put("log", b"a line\n")

    with monitored(redis_url.removeprefix("unix://")) as monitor:
        hearing.settle_silent(claims[0], quiet)
        hearing.settle_silent(claims[1], printing)
        eventually(lambda: monitor.seen["settle_invocations"] == 2)

    assert monitor.seen["append_events"] == 0
    assert printing.take() is None


def test_an_attempt_that_lost_its_lease_tells_nothing_more(life: Life, hearing: Hearing, claimed):
    pending_events = hearing.listen(claimed)
    life.settle(claimed, "lost")

    pending_events.put("event", b"1")
    eventually(lambda: pending_events.is_closed)
    pending_events.put("event", b"2")

    assert events(life, claimed) == []
    assert pending_events.last_words(is_final=True) == []


def test_late_notes_of_threads_that_a_function_left_behind_are_dropped(
    life: Life, hearing: Hearing, claimed
):
    pending_events = hearing.listen(claimed)
    hearing.settle(pending_events)

    pending_events.put("event", b"1")

    assert events(life, claimed) == []


def test_who_cannot_wait_sees_when_events_come_too_fast(
    life: Life, hearing: Hearing, claimed, monkeypatch
):
    monkeypatch.setattr(telling_module, "MOST_WAITING_BYTES", 20_000)
    pending_events = hearing.listen(claimed)
    for number in range(300):
        eventually(lambda: not pending_events.is_full())
        hearing.on_loop.do(
            lambda number=number: pending_events.put("event", b'"%d %s"' % (number, b"x" * 1_000))
        )

    hearing.settle(pending_events)

    assert [data[:4].split()[0] for _, data in events(life, claimed)] == [
        b'"%d' % number for number in range(300)
    ]
    assert not pending_events.is_full()


def test_many_attempts_share_round_trips(life: Life, hearing: Hearing):
    claims = []
    for _ in range(20):
        life.submit()
        claims.append(life.claim_one(lease_ms=60_000))
    tellings = [hearing.listen(claimed) for claimed in claims]

    def report(pending_events):
        for number in range(50):
            pending_events.put("event", b"%d" % number)
            time.sleep(0.002)

    threads = [threading.Thread(target=report, args=(t,)) for t in tellings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pending_events in tellings:
        hearing.settle(pending_events)

    for claimed in claims:
        assert [data for _, data in events(life, claimed)] == [b"%d" % n for n in range(50)]
