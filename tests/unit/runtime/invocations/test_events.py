"""Events in their one order: whoever comes again anywhere misses nothing and gets nothing twice."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.invocations.events import (
    NOWHERE,
    EventId,
    count_events,
    count_missing,
    events_after,
    is_whole,
    parse_place,
)
from runtime.invocations.ids import new_invocation_id
from runtime.invocations.record import Record
from runtime.invocations.status import Status
from runtime.store.event_commands import Entry, EventPage

ID = new_invocation_id()


def record(status: Status = Status.SUCCEEDED, attempt: int = 1, **fields) -> Record:
    fields.setdefault("started_at_ms", 2 if attempt else None)
    fields.setdefault(
        "finished_at_ms", 9 if status in ("succeeded", "cancelled", "failed") else None
    )
    return Record(
        id=ID,
        function="f",
        version="v",
        status=status,
        queue="default",
        created_at_ms=1,
        attempt=attempt,
        **fields,
    )


def earlier(*outcomes: str) -> bytes:
    return b",".join(
        msgspec.json.encode(
            {
                "attempt": number,
                "started_at_ms": 2,
                "finished_at_ms": 3,
                "worker": "w",
                "outcome": outcome,
                "error": {"type": "exception"} if outcome == "retrying" else None,
            }
        )
        for number, outcome in enumerate(outcomes, 1)
    )


def reported(*entries: tuple[int, int, str, bytes]) -> EventPage:
    found = tuple((a, Entry(number=n, kind=k, data=d)) for a, n, k, d in entries)
    last = (found[-1][0], found[-1][1].number) if found else (0, 0)
    return EventPage(record=[b"x"], last=last, entries=found)


def all_of(standing: Record, *entries, whole=None) -> list[tuple[str, str, str]]:
    events = events_after(NOWHERE, standing, reported(*entries), whole)
    return [(str(e.place), e.name, e.data.decode()) for e in events]


def told_statuses(standing: Record) -> list[tuple[str, str]]:
    return [(place, json.loads(data)["status"]) for place, _, data in all_of(standing)]


def test_the_life_of_an_invocation_is_told_as_statuses_around_what_attempts_told():
    standing = record(attempt=2, earlier_attempts=earlier("retrying"))

    found = all_of(
        standing,
        (1, 1, "event", b"[1]"),
        (2, 2, "log", b"a\nb"),
        (2, 4, "item", b"3\n4"),
        (2, 5, "progress", b"{}"),
        whole=standing,
    )

    assert [(place, name) for place, name, _ in found] == [
        ("0.0.0", "status"),
        ("1.0.0", "status"),
        ("1.1.1", "event"),
        ("1.2.0", "status"),
        ("2.0.0", "status"),
        ("2.1.1", "log"),
        ("2.1.2", "log"),
        ("2.1.3", "item"),
        ("2.1.4", "item"),
        ("2.1.5", "progress"),
        ("2.3.0", "status"),
        ("2.4.0", "end"),
    ]
    assert [data for _, name, data in found if name in ("log", "item")] == [
        *('"a\\n"', '"b"', "3", "4")
    ]
    assert json.loads(found[-1][2])["id"] == ID


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (record(Status.QUEUED, 0), [("0.0.0", "queued")]),
        (record(Status.SCHEDULED, 0, scheduled_for_ms=5), [("0.0.0", "scheduled")]),
        (
            record(Status.RUNNING, 1, scheduled_for_ms=5),
            [("0.0.0", "scheduled"), ("0.2.0", "queued"), ("1.0.0", "running")],
        ),
        (
            record(Status.CANCELLED, 0, scheduled_for_ms=5),
            [("0.0.0", "scheduled"), ("0.3.0", "cancelled")],
        ),
        (
            record(Status.QUEUED, 1, earlier_attempts=earlier("worker_lost")),
            [("0.0.0", "queued"), ("1.0.0", "running"), ("1.2.0", "queued")],
        ),
        (
            record(Status.RETRYING, 1, earlier_attempts=earlier("retrying")),
            [("0.0.0", "queued"), ("1.0.0", "running"), ("1.2.0", "retrying")],
        ),
    ],
)
def test_statuses_follow_from_the_record(standing, expected):
    assert told_statuses(standing) == expected


def test_output_of_a_short_invocation_is_told_from_its_record():
    whole = record(logs="ä\nb".encode())

    found = all_of(whole, whole=whole)

    assert found[2:4] == [("1.1.1", "log", '"ä\\n"'), ("1.1.2", "log", '"b"')]


def test_output_in_the_record_is_not_told_again_when_attempts_told_it():
    whole = record(logs=b"a\n")

    found = all_of(whole, (1, 1, "log", b"a\n"), whole=whole)

    assert [name for _, name, _ in found].count("log") == 1


def test_what_the_record_holds_of_an_earlier_attempt_is_not_told_as_the_last_one_s():
    whole = record(attempt=2, earlier_attempts=earlier("given_back"), logs=b"a\n")

    assert "log" not in [name for _, name, _ in all_of(whole, whole=whole)]


def test_a_reading_that_stops_half_way_tells_nothing_that_comes_later():
    standing = record(attempt=2, earlier_attempts=earlier("retrying"))
    part = EventPage(
        record=[b"x"], last=(2, 9), entries=((1, Entry(number=1, kind="event", data=b"1")),)
    )

    found = events_after(NOWHERE, standing, part, None)

    assert not is_whole(part, NOWHERE)
    assert str(found[-1].place) == "1.1.1"


def test_a_result_that_is_long_is_left_out_of_the_end():
    whole = record(result=b'"' + b"x" * 30_000 + b'"')

    data = json.loads(all_of(whole, whole=whole)[-1][2])

    assert data["result_omitted"] is True


@pytest.mark.parametrize(
    ("place", "first", "missing"), [("1.1.3", 4, 0), ("1.1.3", 9, 5), ("1.0.0", 4, 3)]
)
def test_what_is_no_longer_kept_is_counted(place, first, missing):
    start = parse_place(place)
    assert start is not None
    events = events_after(start, record(), reported((1, first, "event", b"1")), None)

    assert count_missing(start, events) == missing


@pytest.mark.parametrize(
    "text", ["", "1", "1.1", "1.5.0", "1.1.x", " 1.1.1", "1.1.1\n", "-1.0.0", "\u0661.1.1"]
)
def test_other_texts_are_no_places(text):
    assert parse_place(text) is None


ENTRIES = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.one_of(
            st.tuples(st.just("log"), st.lists(st.sampled_from(["a", "b\n", "\n"]), min_size=1)),
            st.tuples(st.just("item"), st.lists(st.sampled_from(["1", '"x"']), min_size=1)),
            st.tuples(st.just("event"), st.just(["{}"])),
        ),
    ),
    max_size=8,
).map(lambda found: sorted(found, key=lambda entry: entry[0]))


def numbered_events(raw) -> list[tuple[int, Entry]]:
    entries, counts = [], {}
    for attempt, (kind, parts) in raw:
        data = ("" if kind == "log" else "\n").join(parts).encode()
        counts[attempt] = counts.get(attempt, 0) + count_events(kind, data)
        entries.append((attempt, Entry(number=counts[attempt], kind=kind, data=data)))
    return entries


def page_after(entries, after, most: int) -> EventPage:
    """Read as the store does: what stands after a position, as far as one reading reaches."""
    last = (entries[-1][0], entries[-1][1].number) if entries else (0, 0)
    left = [(a, e) for a, e in entries if (a, e.number) > after]
    return EventPage(record=[b"x"], last=last, entries=tuple(left[:most]))


@given(raw=ENTRIES, cuts=st.lists(st.integers(0, 30), max_size=6), most=st.integers(1, 4))
def test_coming_again_anywhere_misses_nothing_and_doubles_nothing(raw, cuts, most):
    standing = record(attempt=3, earlier_attempts=earlier("retrying", "worker_lost"))
    entries = numbered_events(raw)
    everything = events_after(NOWHERE, standing, page_after(entries, (0, 0), 99), standing)
    got = []
    place: EventId = NOWHERE
    drops = iter(cuts)

    for _ in range(200):
        part = page_after(entries, place.read_position, most)
        whole = standing if is_whole(part, place) else None
        events = events_after(place, standing, part, whole)
        keep = next(drops, len(events))  # the connection drops after so many events
        got += events[:keep]
        place = got[-1].place if got else NOWHERE
        if got and got[-1].name == "end":
            break

    assert got == everything
    assert [e.place for e in got] == sorted({e.place for e in got})
    assert count_missing(NOWHERE, got) == 0
