"""What is refused at acceptance is refused alone, and leaves nothing behind."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.invocations.ids import new_invocation_id
from runtime.store.access_commands import StoredKey, create_key, revoke_key
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.submission_commands import Idempotency, Pace
from tests.support.contents import contents
from tests.support.life import Life

HOUR_MS = 3_600_000
FIRST = Idempotency(digest="d", body_digest="one", ttl_ms=60_000)
WEBHOOK = Idempotency(digest="d", body_digest="one", ttl_ms=60_000, is_webhook=True)
PACE = Pace(caller="key:me", count=2, per_ms=60_000)


def test_the_second_of_a_key_in_one_group_is_the_first_again(life: Life):
    first, same, other, last = (new_invocation_id() for _ in range(4))
    another = Idempotency(digest="d", body_digest="two")

    answers = life.ask_together(
        {"id": first, "idempotency": FIRST},
        {"id": same, "idempotency": FIRST},
        {"id": other, "idempotency": another},
        {"id": last},
    )

    assert [one.reception for one in answers] == ["NEW", "REPLAYED", "CONFLICT", "NEW"]
    assert [one.id for one in answers[1:3]] == [first, first]
    assert {item.id for item in life.claim(9).items} == {first, last}
    ttl_ms = life.command("PTTL", life.key("idempotency", "d"))
    assert 0 < ttl_ms <= 60_000


@pytest.mark.parametrize(
    ("ending", "again"),
    [
        ("failed", "NEW"),
        ("expired", "NEW"),
        ("succeeded", "REPLAYED"),
        ("cancelled", "REPLAYED"),
        ("retrying", "REPLAYED"),
        ("running", "REPLAYED"),
        ("retried", "REPLAYED"),
        ("gone", "REPLAYED"),
        ("damaged", "REPLAYED"),
    ],
)
def test_a_webhook_whose_invocation_failed_runs_again_and_any_other_call_does_not(
    life: Life, ending: str, again: str
):
    first = life.submit(idempotency=WEBHOOK)
    record = life.key("record", first)
    life.command("HSET", record, "status", "failed" if ending == "retried" else ending)
    if ending == "retried":
        life.submit(retry_of=first)
    elif ending in ("gone", "damaged"):
        life.command("DEL", record)
    if ending == "damaged":
        life.command("SET", record, "x")

    call = life.ask(idempotency=FIRST)
    other = life.ask(idempotency=Idempotency(digest="d", body_digest="two", is_webhook=True))
    second, third = life.ask_together({"idempotency": WEBHOOK}, {"idempotency": WEBHOOK})

    assert (call.reception, call.id) == ("REPLAYED", first)
    assert (other.reception, other.id) == ("CONFLICT", first)
    assert (second.reception, third.reception) == (again, "REPLAYED")
    if again == "NEW":  # it took the key
        assert third.id not in ("", first)
    else:
        assert second.id == third.id == first


def test_a_webhook_that_cannot_run_again_now_may_be_sent_once_more(life: Life):
    first = life.submit(idempotency=WEBHOOK)
    life.command("HSET", life.key("record", first), "status", "failed")
    life.submit()

    receptions = [life.ask(idempotency=WEBHOOK, max_waiting=most).reception for most in (1, 0, 0)]

    assert receptions == ["FULL", "NEW", "REPLAYED"]


def test_what_comes_again_is_no_call_of_a_caller_who_has_a_pace(life: Life):
    life.ask_together({"idempotency": FIRST, "pace": PACE})

    answers = life.ask_together(
        *({"idempotency": FIRST, "pace": PACE} for _ in range(3)),
        {"pace": PACE},
        {"pace": PACE},
    )

    assert [one.reception for one in answers] == ["REPLAYED"] * 3 + ["NEW", "LIMITED"]
    assert [one.calls_left for one in answers] == [None] * 3 + [0, 0]


def test_a_pace_counts_within_a_group_and_for_each_caller_alone(life: Life):
    other = Pace(caller="key:other", count=2, per_ms=60_000)

    answers = life.ask_together(
        {"pace": PACE}, {"pace": other}, {"pace": PACE}, {"pace": PACE}, {"pace": other}, {}
    )

    assert [one.reception for one in answers] == ["NEW"] * 3 + ["LIMITED", "NEW", "NEW"]
    assert [one.calls_left for one in answers] == [1, 1, 0, 0, 0, None]
    assert 0 < answers[3].retry_after_ms <= 30_000
    assert len(life.claim(9).items) == 5


def test_a_callers_name_may_have_blanks(life: Life):
    named = Pace(caller="address of somebody", count=1, per_ms=60_000)

    receptions = [one.reception for one in life.ask_together({"pace": named}, {"pace": named})]

    assert receptions == ["NEW", "LIMITED"]
    assert life.ask(pace=Pace(caller="address", count=1, per_ms=60_000)).reception == "NEW"


def test_only_one_may_repeat_what_none_has_repeated(life: Life):
    ended = life.submit()
    again, late, last = (new_invocation_id() for _ in range(3))

    answers = life.ask_together(
        {"id": again, "retry_of": ended, "is_only_retry": True},
        {"id": late, "retry_of": ended, "is_only_retry": True},
        {"id": last, "retry_of": ended},
    )

    assert [one.reception for one in answers] == ["NEW", "RETRIED", "NEW"]
    assert answers[1].id == again
    assert life.command("HGET", life.key("record", ended), "retried_by") == last.encode()
    assert life.command("EXISTS", life.key("record", late)) == 0


def test_a_retry_of_what_is_gone_makes_no_record_of_it(life: Life):
    life.ask_together({"retry_of": "gone"}, {"retry_of": "gone too", "is_only_retry": True})

    assert life.command("EXISTS", life.key("record", "gone"), life.key("record", "gone too")) == 0


def test_a_repeatable_one_is_born_once_in_one_group_or_in_two(life: Life):
    one = new_invocation_id()
    asked = {"id": one, "is_repeatable": True, "pace": PACE}

    first, second = life.ask_together(asked, asked)
    [third] = life.ask_together(asked, max_waiting=1)

    assert [first.reception, second.reception, third.reception] == ["NEW"] * 3
    assert second.id == third.id == one
    assert second.created_at_ms == third.created_at_ms == first.created_at_ms
    assert first.calls_left == 1
    assert [item.id for item in life.claim(9).items] == [one]


def test_who_shows_a_key_that_is_not_valid_any_more_is_refused_alone(
    life: Life, connection: BlockingConnection
):
    made = {}
    for name in ("kept", "gone"):
        key = StoredKey(id=name, name="me", digest=name, scopes=("admin",))
        made[name] = connection.run(
            create_key(key, lifetime_ms=0, callback_secret="s", replaces_secret=False)
        )
    connection.run(revoke_key("gone"))

    answers = life.ask_together(
        {"api_key": "kept"}, {"api_key": "gone"}, {"api_key": "gone"}, {}, {"api_key": "unknown"}
    )

    receptions = [one.reception for one in answers]
    assert receptions == ["NEW", "REVOKED", "REVOKED", "NEW", "REVOKED"]
    assert len(life.claim(9).items) == 2


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a revoked key": ({"api_key": "unknown"}, "REVOKED"),
    "a repeated request": ({"idempotency": FIRST}, "REPLAYED"),
    "a key used otherwise": (
        {"idempotency": Idempotency(digest="d", body_digest="two")},
        "CONFLICT",
    ),
    "a retry that was made": ({"retry_of": "ended", "is_only_retry": True}, "RETRIED"),
    "a caller too fast": ({"pace": PACE}, "LIMITED"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_one_leaves_nothing_behind_and_takes_no_room(life: Life, name: str):
    refused, reception = REFUSED[name]
    life.ask_together({"idempotency": FIRST}, {"pace": PACE}, {"pace": PACE})
    life.command("HSET", life.key("record", "ended"), "retried_by", "another", "status", "failed")
    life.claim(9)
    everything = {"key": "new", "tags": ("new",), "max_age_ms": HOUR_MS, "delay_ms": HOUR_MS}
    before = contents(life)

    [alone] = life.ask_together({**everything, **refused}, max_waiting=2)
    assert (alone.reception, contents(life)) == (reception, before)
    answers = life.ask_together({}, {**everything, **refused}, {}, {}, max_waiting=2)

    assert [one.reception for one in answers] == ["NEW", reception, "NEW", "FULL"]
    assert len(life.claim(9).items) == 2


def test_a_full_function_refuses_those_that_ask_and_those_that_do_not(life: Life):
    asks = {"key": "k", "tags": ("t",), "max_age_ms": HOUR_MS, "idempotency": FIRST, "pace": PACE}
    life.ask_together({})
    before = contents(life)

    answers = life.ask_together(asks, {}, {"delay_ms": HOUR_MS}, max_waiting=1)

    assert [(one.reception, one.waiting) for one in answers] == [("FULL", 1)] * 3
    assert contents(life) == before


def test_a_repeated_request_is_answered_although_the_function_is_full(life: Life):
    [first] = life.ask_together({"id": new_invocation_id(), "idempotency": FIRST})

    [again] = life.ask_together({"idempotency": FIRST}, max_waiting=1)

    assert first.reception == "NEW"
    assert again.reception == "REPLAYED"
