"""What attempts tell reaches Redis in order, whole and before their endings."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from runtime.invocations.output import output_of
from runtime.store.invocation_calls import read_outputs
from runtime.store.line import Line
from runtime.worker import telling as telling_module
from runtime.worker.teller import Teller
from tests.integration.worker.hearing import events, numbers, settle
from tests.support.life import Life
from tests.support.monitoring import monitored
from tests.support.waiting import eventually


@pytest.fixture
def teller(redis_url: str):
    made = Teller(Line(redis_url, timeout_s=0.3))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def claimed(life: Life):
    life.submit()
    return life.claim_one(lease_ms=60_000)


def test_what_is_told_is_written_while_the_attempt_runs(life: Life, teller: Teller, claimed):
    telling = teller.listen(claimed)
    telling.put("progress", b'{"done":1}')
    telling.put("item", b"1")
    telling.put("log", b"a line\n")

    eventually(lambda: len(events(life, claimed)) == 3)

    assert events(life, claimed) == [
        ("progress", b'{"done":1}'),
        ("item", b"1"),
        ("log", b"a line\n"),
    ]
    assert life.read(claimed.id).progress == b'{"done":1}'


def test_output_alone_is_written_after_a_moment(life: Life, teller: Teller, claimed):
    telling = teller.listen(claimed)

    telling.put("log", b"a")
    telling.put("log", b"b\n")

    eventually(lambda: events(life, claimed) == [("log", b"ab\n")])


def test_a_character_that_comes_in_two_pieces_stays_whole(life: Life, teller: Teller, claimed):
    telling = teller.listen(claimed)
    first, second = "é".encode()[:1], "é".encode()[1:]

    telling.put("log", b"x" + first)
    eventually(lambda: events(life, claimed))
    telling.put("log", second)
    eventually(lambda: len(events(life, claimed)) == 2)

    assert events(life, claimed) == [("log", b"x"), ("log", "é".encode())]


def test_many_are_grouped_and_keep_their_order(life: Life, redis_url: str, teller: Teller, claimed):
    telling = teller.listen(claimed)

    with monitored(redis_url.removeprefix("unix://")) as monitor:
        for number in range(5_000):
            telling.put("item", b"%d" % number)
        settle(redis_url, claimed, telling)

    items = b"\n".join(data for kind, data in events(life, claimed) if kind == "item")
    assert items == b"\n".join(b"%d" % number for number in range(5_000))
    assert numbers(life, claimed)[-1] == 5_000
    assert monitor.seen["append_events"] < 100


def test_all_is_written_before_the_ending(life: Life, redis_url: str, teller: Teller):
    for _ in range(30):
        life.submit()
        claimed = life.claim_one()
        telling = teller.listen(claimed)
        for number in range(10):
            telling.put("event", b"%d" % number)

        settle(redis_url, claimed, telling)

        assert [data for _, data in events(life, claimed)] == [b"%d" % n for n in range(10)]


def test_the_ending_waits_for_what_is_being_written(life: Life, redis_url: str, claimed):
    telling = Teller(Line(redis_url)).listen(claimed)  # one that does not write by itself
    telling.put("event", b"1")
    under_way = telling.take()
    telling.put("event", b"2")

    with ThreadPoolExecutor(1) as pool:
        last = pool.submit(telling.last_words, is_final=True)
        assert wait([last], timeout=0.1).not_done
        assert under_way is not None
        telling.written(reply=life.line.run(under_way))
        [words] = last.result(5)

    assert life.line.run(words)
    assert [data for _, data in events(life, claimed)] == [b"1", b"2"]


def test_of_progress_that_was_not_written_the_last_is_enough(life: Life, redis_url: str, claimed):
    telling = Teller(Line(redis_url)).listen(claimed)  # one that does not write by itself
    for number in range(1_000):
        telling.put("progress", b'{"done":%d}' % number)
    telling.put("item", b"1")

    settle(redis_url, claimed, telling)

    assert events(life, claimed) == [("progress", b'{"done":999}'), ("item", b"1")]


@pytest.mark.parametrize(
    ("status", "told"),
    [("succeeded", 0), ("failed", 0), ("cancelled", 0), ("retrying", 1), ("lost", 1)],
)
def test_a_little_output_goes_with_the_record_when_that_ends(
    life: Life, redis_url: str, claimed, status: str, told: int
):
    telling = Teller(Line(redis_url)).listen(claimed)
    telling.put("log", b"line\n")

    settle(redis_url, claimed, telling, status)

    assert len(events(life, claimed)) == told
    earlier = life.line.run(read_outputs(claimed.id, life.line.keys))
    assert output_of(life.read(claimed.id), earlier).of_attempts == {1: b"line\n"}


def test_an_attempt_that_tells_nothing_or_prints_a_little_costs_one_command(
    life: Life, redis_url: str
):
    claims = []
    for _ in range(2):
        life.submit()
        claims.append(life.claim_one())
    teller = Teller(Line(redis_url))  # one whose moment has not come
    silent, printing = map(teller.listen, claims)
    printing.put("log", b"a line\n")

    with monitored(redis_url.removeprefix("unix://")) as monitor:
        settle(redis_url, claims[0], silent)
        settle(redis_url, claims[1], printing)
        eventually(lambda: monitor.seen["settle_invocations"] == 2)

    assert monitor.seen["append_events"] == 0
    assert printing.take() is None


def test_an_attempt_that_lost_its_lease_tells_nothing_more(life: Life, teller: Teller, claimed):
    telling = teller.listen(claimed)
    life.settle(claimed, "lost")

    telling.put("event", b"1")
    eventually(lambda: telling._is_closed)
    telling.put("event", b"2")

    assert events(life, claimed) == []
    assert telling.last_words(is_final=True) == []


def test_late_notes_of_threads_that_a_function_left_behind_are_dropped(
    life: Life, redis_url: str, teller: Teller, claimed
):
    telling = teller.listen(claimed)
    settle(redis_url, claimed, telling)

    telling.put("event", b"1")

    assert events(life, claimed) == []


def test_events_faster_than_they_are_written_wait_and_none_is_left_out(
    life: Life, redis_url: str, teller: Teller, claimed, monkeypatch
):
    monkeypatch.setattr(telling_module, "MOST_WAITING_BYTES", 20_000)
    telling = teller.listen(claimed)
    for number in range(300):
        telling.put("event", b'"%d %s"' % (number, b"x" * 1_000))

    settle(redis_url, claimed, telling)

    assert len(events(life, claimed)) == 300
    assert {kind for kind, _ in events(life, claimed)} == {"event"}


def test_many_attempts_share_round_trips(life: Life, redis_url: str, teller: Teller):
    claims = []
    for _ in range(20):
        life.submit()
        claims.append(life.claim_one(lease_ms=60_000))
    tellings = [teller.listen(claimed) for claimed in claims]

    def tell(telling):
        for number in range(50):
            telling.put("event", b"%d" % number)
            time.sleep(0.002)

    threads = [threading.Thread(target=tell, args=(t,)) for t in tellings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for claimed, telling in zip(claims, tellings, strict=True):
        settle(redis_url, claimed, telling)

    for claimed in claims:
        assert [data for _, data in events(life, claimed)] == [b"%d" % n for n in range(50)]
