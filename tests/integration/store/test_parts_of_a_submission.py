"""Each thing that a call may ask for is seen to, alone and beside others in one script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from runtime.invocations.ids import new_invocation_id
from runtime.invocations.status import Status
from runtime.store.submission_commands import Idempotency, Pace
from tests.support.contents import contents
from tests.support.life import Life

HOUR_MS = 3_600_000
FIRST = Idempotency(digest="d", body_digest="one", ttl_ms=60_000)
PACE = Pace(caller="key:me", count=2, per_ms=60_000)
ASKED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "caller": {"fields": {"caller": "me"}},
    "trace": {"fields": {"traceparent": "00-1", "tracestate": "a=b"}},
    "callback": {"fields": {"callback": "https://example.com/hook"}},
    "request": {"fields": {"request": b"{}", "secrets": b"[]"}},
    "key": {"key": "k 1"},
    "priority": {"priority": 9},
    "priority of nought": {"priority": 0},
    "tags": {"tags": ("a", "b c")},
    "delay": {"delay_ms": HOUR_MS},
    "moment": {"run_at_ms": 4_000_000_000_000},
    "moment that is past": {"run_at_ms": 1},
    "max_age": {"max_age_ms": HOUR_MS},
    "max_age of a delayed one": {"max_age_ms": HOUR_MS, "delay_ms": HOUR_MS},
    "idempotency": {"idempotency": FIRST},
    "pace": {"pace": PACE},
    "retry": {"retry_of": "another"},
    "only retry": {"retry_of": "a third", "is_only_retry": True},
    "repeatable": {"is_repeatable": True},
    "all": {
        "fields": {"callback": "https://example.com/hook", "caller": "me", "traceparent": "00-1"},
        "key": "k",
        "priority": 7,
        "tags": ("a",),
        "max_age_ms": HOUR_MS,
        "idempotency": Idempotency(digest="e", body_digest="b", ttl_ms=60_000),
        "pace": Pace(caller="key:all", count=9, per_ms=60_000),
        "is_repeatable": True,
    },
}


def born_one_by_one(life: Life, entries: list[dict[str, Any]], **call: Any) -> dict[str, object]:
    for entry in entries:
        [answer] = life.ask_together(entry, **call)
        assert answer.reception == "NEW"
    return contents(life)


@pytest.mark.parametrize("call", [{}, {"waiter": "g1"}, {"priority": 8}, {"max_waiting": 1000}])
def test_a_group_leaves_what_single_ones_leave(life: Life, call: dict[str, Any]):
    entries = [{"id": new_invocation_id(), **asked} for asked in ASKED.values()]
    single = born_one_by_one(life, entries, **call)
    life.command("FLUSHDB")

    answers = life.ask_together(*entries, **call)

    assert {answer.reception for answer in answers} == {"NEW"}
    assert contents(life) == single


@pytest.mark.parametrize("name", ASKED)
def test_what_one_asks_for_does_not_reach_its_neighbours(life: Life, name: str):
    asks, before, after = (new_invocation_id() for _ in range(3))

    life.ask_together({"id": before}, {"id": asks, **ASKED[name]}, {"id": after})

    usual = {b"function", b"queue", b"created_at", b"status", b"version", b"arguments"}
    for one in (before, after):
        assert set(life.command("HKEYS", life.key("record", one))) == usual
    others = [item.id for item in life.claim(9).items if item.id != asks]
    assert others == [before, after]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("caller", {"caller": b"me"}),
        ("trace", {"traceparent": b"00-1", "tracestate": b"a=b"}),
        ("callback", {"callback": b"https://example.com/hook"}),
        ("request", {"request": b"{}", "secrets": b"[]"}),
        ("key", {"key": b"k 1"}),
        ("priority", {"priority": b"9"}),
        ("priority of nought", {"priority": b"0"}),
        ("tags", {"tags": b'["a","b c"]'}),
        ("moment", {"scheduled_for": b"4000000000000", "status": b"scheduled"}),
        ("moment that is past", {"status": b"queued"}),
        ("retry", {"retry_of": b"another"}),
        ("only retry", {"retry_of": b"a third"}),
    ],
)
def test_what_is_asked_for_is_in_the_record(life: Life, name: str, fields: Mapping[str, bytes]):
    one = new_invocation_id()

    life.ask_together({}, {"id": one, **ASKED[name]}, {})

    assert life.command("HMGET", life.key("record", one), *fields) == list(fields.values())


def test_priority_is_the_functions_own_unless_another_is_asked_for(life: Life):
    usual, urgent, late = (new_invocation_id() for _ in range(3))

    life.ask_together({"id": usual}, {"id": late, "priority": 0}, priority=3)
    life.ask_together({"id": urgent, "priority": 9}, priority=3)

    assert [item.id for item in life.claim(3).items] == [urgent, usual, late]
    assert [life.read(one).priority for one in (usual, urgent, late)] == [3, 9, 0]


def test_a_key_takes_turns_with_those_that_show_none(life: Life):
    none, keyed = [new_invocation_id() for _ in range(3)], new_invocation_id()

    life.ask_together(*({"id": one} for one in none), {"id": keyed, "key": "k"})

    assert keyed in [item.id for item in life.claim(2).items]


def test_a_delayed_one_waits_for_its_moment_and_its_age_counts_from_there(life: Life):
    one = new_invocation_id()
    [born] = life.ask_together({"id": one, "delay_ms": HOUR_MS, "max_age_ms": 5})

    assert life.claim(9).items == ()
    record = life.read(one)
    assert record.status == Status.SCHEDULED
    assert record.scheduled_for_ms == born.created_at_ms + HOUR_MS
    expires_at = life.command("HGET", life.key("record", one), "expires_at")
    assert int(expires_at) == born.created_at_ms + HOUR_MS + 5
