"""What attempts tell: taken in order and once, bounded, fenced, and read from any place."""

from __future__ import annotations

import asyncio

import pytest

from runtime.store.event_commands import Entry, append_events, read_events
from runtime.store.pubsub import PubSub
from runtime.store.redis_keys import Keys
from tests.support.life import Life


def entry(number: int, kind: str = "event", data: bytes = b"1") -> Entry:
    return Entry(number=number, kind=kind, data=data)


@pytest.fixture
def begun(life: Life):
    life.submit()
    return life.claim_one()


def append(life: Life, claimed, *entries: Entry, **more) -> bool:
    return life.connection.run(
        append_events(claimed.id, claimed.token, entries, worker=claimed.worker, **more)
    )


def read_numbers(life: Life, invocation_id: str, **where) -> list[tuple[int, int]]:
    reported = life.connection.run(read_events(invocation_id, **where))
    return [(attempt, found.number) for attempt, found in reported.entries]


def test_entries_are_read_in_order_and_from_where_one_left_off(life: Life, begun):
    entries = [entry(2, "log", b"a\nb\n"), entry(3, "progress", b'{"done":1}'), entry(4, "item")]

    assert append(life, begun, *entries)
    reported = life.connection.run(read_events(begun.id))

    assert [found for _, found in reported.entries] == entries
    assert reported.last == (1, 4)
    assert read_numbers(life, begun.id, after=(1, 2)) == [(1, 3), (1, 4)]
    assert read_numbers(life, begun.id, after=(1, 1)) == [(1, 2), (1, 3), (1, 4)]
    assert read_numbers(life, begun.id, after=(1, 4)) == []
    assert life.read(begun.id).progress == b'{"done":1}'
    assert life.command("PTTL", life.key("events", begun.id)) > 0


def test_an_entry_that_is_sent_again_is_taken_once(life: Life, begun):
    append(life, begun, entry(1), entry(2))

    assert append(life, begun, entry(1), entry(2), entry(3))

    assert read_numbers(life, begun.id) == [(1, 1), (1, 2), (1, 3)]


def test_attempts_follow_each_other_whatever_their_numbers(life: Life, begun):
    append(life, begun, entry(7))
    life.settle(begun, "lost")
    second = life.claim_one()
    append(life, second, entry(1))

    assert read_numbers(life, begun.id) == [(1, 7), (2, 1)]
    assert read_numbers(life, begun.id, after=(1, 10**15)) == [(2, 1)]


def test_an_attempt_that_lost_its_lease_may_not_speak(life: Life, begun):
    life.settle(begun, "lost")

    assert not append(life, begun, entry(1))
    assert life.connection.run(read_events(begun.id)).entries == ()


def test_the_oldest_go_when_an_invocation_has_told_too_much(life: Life, begun):
    for number in range(1, 301):
        append(life, begun, entry(number, data=b"x" * 1_000), most_bytes=100_000)

    numbers = [number for _, number in read_numbers(life, begun.id, most_bytes=10**9)]
    assert numbers == list(range(numbers[0], 301))
    assert 70 <= len(numbers) <= 100


def test_an_entry_larger_than_all_that_is_kept_leaves_nothing_and_harms_nothing(life: Life, begun):
    append(life, begun, entry(1), entry(2, data=b"x" * 10_000), most_bytes=1_000)
    append(life, begun, entry(3), most_bytes=1_000)

    assert read_numbers(life, begun.id) == [(1, 3)]


def test_a_reading_is_bounded_by_bytes_but_not_empty(life: Life, begun):
    append(life, begun, *(entry(number, data=b"x" * 1_000) for number in range(1, 101)))

    assert len(read_numbers(life, begun.id, most_bytes=1)) == 1
    assert len(read_numbers(life, begun.id, most_bytes=40_000)) == 40
    assert len(read_numbers(life, begun.id, most_bytes=10**6)) == 100


def test_what_is_long_in_a_record_is_not_read_with_events(life: Life):
    invocation_id = life.submit(arguments=b'{"a":"' + b"x" * 10_000 + b'"}')

    reported = life.connection.run(read_events(invocation_id))

    assert sum(map(len, reported.record)) < 500


def test_an_unknown_invocation_has_no_record(life: Life):
    assert life.connection.run(read_events("unknown", gateway="g")).record == []
    assert life.command("EXISTS", life.key("record", "unknown")) == 0


def test_who_follows_is_poked_at_every_change_until_the_end(life: Life, redis_url: str):
    invocation_id = life.submit()
    life.connection.run(read_events(invocation_id, gateway="g"))

    async def listen() -> list[bytes]:
        pokes: list[bytes] = []
        ready, done = asyncio.Event(), asyncio.Event()

        def receive(_: str, payload: bytes) -> None:
            pokes.append(payload)
            if len(pokes) == 6:
                done.set()

        heard = PubSub(
            redis_url,
            [Keys().build("inbox", "g")],
            on_message=receive,
            on_connect=ready.set,
        )
        heard.start()
        await ready.wait()
        claimed = life.claim_one()
        append(life, claimed, entry(1), entry(2))
        append(life, claimed, entry(2))  # again: no news
        life.settle(claimed, "retrying")
        life.settle(life.claim_one())
        await asyncio.wait_for(done.wait(), 5)
        await heard.stop()
        return pokes

    pokes = asyncio.run(listen())

    # claimed, told, retrying, due, claimed, finished
    assert pokes == [f"{invocation_id}\n".encode()] * 6
