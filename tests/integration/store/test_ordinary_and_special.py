"""What is special about an invocation is seen to, whoever shares a script with it.

Most have nothing special, and the scripts of the main path do not ask them for it; a script that
forgets to ask the others loses callbacks, counts or news.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from runtime.invocations.ids import new_invocation_id
from runtime.invocations.record import Record, record_from_notice
from runtime.invocations.status import Status
from runtime.store.event_commands import Entry, append_events
from runtime.store.invocation_commands import Settlement, release, settle
from runtime.store.submission_commands import commit_batch, stage_batch, submit
from tests.support.life import WEEK_MS, Life
from tests.support.listener import Listener
from tests.support.waiting import eventually

SPECIAL: dict[str, Any] = {
    "callback": "https://example.com/hook",
    "caller": "me",
    "traceparent": "00-1-2-01",
    "request": b"{}",
    "waiters": "g1",
    "watchers": "g2",
    "tags": ("t",),
    "key": "k",
    "priority": 9,
    "max_age_ms": 60_000,
}


def plain(life: Life, count: int, *, function: str = "f", waiter: str = "") -> list[str]:
    ids = [new_invocation_id() for _ in range(count)]
    life.connection.run(
        submit(
            function=function,
            queue="default",
            version="v1",
            waiter=waiter,
            entries=[(one, b"{}", ()) for one in ids],
        )
    )
    return ids


def submit_batch(life: Life, count: int) -> list[str]:
    ids = [new_invocation_id() for _ in range(count)]
    members = [(one, b"{}") for one in ids]
    life.connection.run(
        stage_batch(
            batch="b",
            function="f",
            queue="default",
            version="v1",
            entries=members,
            callback="https://example.com/batch",
        )
    )
    life.connection.run(commit_batch(batch="b", size=count))
    return ids


def successes_of(items: Any) -> list[Settlement]:
    return [
        Settlement(id=i.id, token=i.token, status="succeeded", ttl_ms=WEEK_MS, result=b"1")
        for i in items
    ]


def test_all_kinds_end_rightly_in_one_script(life: Life, redis_url: str):
    waited_for, poked = (Listener(redis_url, life.key("inbox", g)) for g in ("g1", "g2"))
    again = life.submit()
    life.settle(life.claim_one(), "retrying", retry_after_ms=0, error=b"{}")
    ids = [*plain(life, 2), life.submit(**SPECIAL), *submit_batch(life, 3), *plain(life, 1)]
    later = life.submit(delay_ms=1, callback="https://example.com/later")
    items = {item.id: item for item in life.claim(50).items}
    eventually(
        lambda: items.update({item.id: item for item in life.claim(50).items}) or later in items
    )
    running = life.command("HMGET", life.key("batch", "b"), "queued", "running")

    replies = life.connection.run(settle(successes_of(items.values()), worker="w1"))

    assert replies == ["DONE"] * 9
    assert set(items) == {again, later, *ids}
    assert {life.read(one).status for one in items} == {Status.SUCCEEDED}
    assert life.read(again).error is None
    assert running == [b"0", b"3"]
    counts = ("running", "succeeded", "delivery")
    assert life.command("HMGET", life.key("batch", "b"), *counts) == [b"0", b"3", b"dlv_b"]
    assert life.command("ZCARD", life.key("deliveries_due")) == 3
    assert life.command("EXISTS", life.key("expiring"), life.key("leases")) == 0
    queue = life.command("HMGET", life.key("queue", "default"), "waiting", "running")
    assert queue == [b"0", b"0"]
    assert life.command("HGET", life.key("stats"), "f:succeeded") == b"9"
    assert waited_for.one().startswith(ids[2].encode())
    assert poked.one() == ids[2].encode() + b"\n"


@pytest.mark.parametrize("limits", ["", "5 0 0"])
@pytest.mark.parametrize(
    ("call_options", "ending"),
    [
        ({}, {"result": b'"a\r\nb"'}),
        ({}, {"result": b""}),
        ({}, {"status": "failed", "error": b'{"type":"exception"}', "logs": b"hi"}),
        ({"caller": "me", "traceparent": "00-1", "tracestate": "s"}, {}),
        ({"tags": ("a", "b"), "key": "k", "priority": 7}, {"result_type": "bytes"}),
        ({"callback": "https://example.com/hook"}, {}),
        ({"caller": "me", "callback": "https://example.com/hook", "max_age_ms": 60_000}, {}),
        ({"run_at_ms": 1, "watchers": "g2", "batch": "b", "secrets": b"[]"}, {}),
        ({"caller": "me", "request": b"{}", "of_the_future": "1"}, {}),
        (
            {"retry_of": "another"},
            {"result": b"x", "media_type": "image/png", "result_type": "bytes"},
        ),
    ],
)
def test_a_notice_tells_what_a_look_would(
    life: Life, redis_url: str, call_options: dict[str, Any], ending: dict[str, Any], limits: str
):
    heard = Listener(redis_url, life.key("inbox", "g1"))
    if limits:
        life.command("HSET", life.key("limits"), "f", limits)
    life.submit(waiters="other g1", arguments=b'{"n":1}', **call_options)
    life.settle(claimed := life.claim_one(), **ending)

    reported = record_from_notice(heard.one(), b'{"n":1}')

    assert reported == seen(life, claimed.id)


def test_a_notice_tells_of_progress_too(life: Life, redis_url: str):
    heard = Listener(redis_url, life.key("inbox", "g1"))
    plain(life, 1, waiter="g1")
    claimed = life.claim_one()
    progress = Entry(number=1, kind="progress", data=b'{"done":1}')
    life.connection.run(append_events(claimed.id, claimed.token, [progress], worker=claimed.worker))
    life.settle(claimed)

    reported = record_from_notice(heard.one(), b"{}")

    assert reported.progress == b'{"done":1}'
    assert reported == seen(life, claimed.id)


def test_a_notice_tells_of_an_attempt_that_was_not_the_first(life: Life, redis_url: str):
    heard = Listener(redis_url, life.key("inbox", "g1"))
    life.submit(waiters="g1", caller="me")
    life.settle(life.claim_one(), "retrying", retry_after_ms=0, error=b'{"type":"exception"}')
    claims = []
    eventually(lambda: claims.extend(life.claim().items) or claims)

    life.settle(claims[0])

    reported = record_from_notice(heard.one(), b"{}")
    assert reported.earlier_attempts
    assert reported == seen(life, claims[0].id)


def test_a_notice_tells_of_an_attempt_before_that_was_given_back(life: Life, redis_url: str):
    heard = Listener(redis_url, life.key("inbox", "g1"))
    life.submit(waiters="g1")
    first = life.claim_one()
    life.connection.run(release([(first.id, first.token, True)], worker="w1"))

    life.settle(claimed := life.claim_one())

    reported = record_from_notice(heard.one(), b"{}")
    assert (reported.attempt, bool(reported.earlier_attempts)) == (2, True)
    assert reported == seen(life, claimed.id)


@pytest.mark.parametrize(
    "call_options", [{}, {"caller": "me", "callback": "https://example.com/hook"}]
)
def test_who_follows_is_poked_at_the_end(life: Life, redis_url: str, call_options: dict[str, Any]):
    life.submit(watchers="g2", **call_options)
    claimed = life.claim_one()
    poked = Listener(redis_url, life.key("inbox", "g2"))

    life.settle(claimed)

    assert poked.one() == claimed.id.encode() + b"\n"


def test_a_call_that_waited_for_its_moment_is_told_of_with_it(life: Life, redis_url: str):
    heard = Listener(redis_url, life.key("inbox", "g1"))
    life.submit(waiters="g1", delay_ms=1)
    claims = []
    eventually(lambda: claims.extend(life.claim().items) or claims)

    life.settle(claims[0])

    reported = record_from_notice(heard.one(), b"{}")
    assert reported.scheduled_for_ms is not None
    assert reported == seen(life, claims[0].id)


def seen(life: Life, invocation_id: str) -> Record:
    """The record without what a notice leaves out."""
    return replace(life.read(invocation_id), logs=b"", request=b"")


def test_functions_have_equal_shares_of_a_claim_and_alternate(life: Life):
    for name, count in (("a", 6), ("b", 2), ("c", 6)):
        plain(life, count, function=name)

    first, second = life.claim(9), life.claim(9)

    assert "".join(item.function for item in first.items) == "abcabcaca"
    assert sorted(item.function for item in second.items) == ["a", "a", "c", "c", "c"]
    assert second.remaining_lanes == 0


@pytest.mark.parametrize("odd", [("HDEL", "version"), ("HSET", "of_the_future", "1")])
def test_an_odd_record_is_no_reason_to_overlook_a_callback(life: Life, odd: tuple[str, ...]):
    one = life.submit(waiters="g1")
    claimed = life.claim_one()
    record = life.key("record", one)
    life.command(odd[0], record, *odd[1:])
    life.command("HSET", record, "callback", "https://example.com/hook")

    life.settle(claimed)

    assert life.read(one).delivery == f"dlv_{one}"


@pytest.mark.parametrize("call_options", [{}, SPECIAL])
def test_every_birth_writes_what_the_scripts_count_on(life: Life, call_options: dict[str, Any]):
    """Fields that every record has, by which the scripts tell that there are no others."""
    ids = [*plain(life, 1), life.submit(**call_options), *submit_batch(life, 1)]

    for one in ids:
        fields = set(life.command("HKEYS", life.key("record", one)))
        assert {b"function", b"queue", b"created_at", b"status", b"version", b"arguments"} <= fields
