"""Claims whose answers were lost, and two workers with the same number: nobody is wronged."""

from __future__ import annotations

import pytest

from runtime.store.event_commands import Entry, append_events
from runtime.store.invocation_commands import POISON_LIMIT, Settlement, release, settle
from runtime.store.recovery_commands import UNHEARD_LIMIT
from tests.support.life import WEEK_MS, Life

LEASE_MS = 10_000


def run_out(life: Life, invocation_id: str) -> None:
    """Let the lease of an attempt end now, as if it had been claimed so long before."""
    record = life.key("record", invocation_id)
    score = int(life.command("ZSCORE", life.key("leases"), invocation_id))
    now_s, _ = life.command("TIME")
    earlier = score - int(now_s) * 1000 + 1_000
    life.command("ZADD", life.key("leases"), score - earlier, invocation_id)
    life.command("HINCRBY", record, "started_at", -earlier)


def test_an_answer_that_was_lost_is_not_an_attempt(life: Life):
    one = life.submit()
    for _ in range(POISON_LIMIT + 2):
        life.claim(worker="w1", lease_ms=LEASE_MS)  # nobody hears of it
        life.beat(worker="w1", lease_ms=LEASE_MS)  # but its worker lives, and holds nothing
        run_out(life, one)
        beat = life.beat(worker="w2", lease_ms=LEASE_MS)
        assert beat.taken_over == ((one, "queued"),)

    claimed = life.claim_one(worker="w1")
    assert claimed.attempt == 1
    assert claimed.token == POISON_LIMIT + 3, "a token is used once"
    assert life.settle(claimed) == "DONE"
    assert life.read(one).status == "succeeded"


def test_answers_that_are_always_lost_come_to_an_end(life: Life):
    one = life.submit()
    for _ in range(UNHEARD_LIMIT):
        life.claim(worker="w1", lease_ms=LEASE_MS)
        life.beat(worker="w1", lease_ms=LEASE_MS)
        run_out(life, one)
        life.beat(worker="w2", lease_ms=LEASE_MS)

    record = life.read(one)
    assert record.status == "failed"
    assert b"the answer was lost each time" in (record.error or b"")


@pytest.mark.parametrize("had", ["never beaten since", "held it"])
def test_a_worker_that_dies_while_it_has_one_is_counted(life: Life, had: str):
    """Whether it had begun nobody knows: it may have killed its worker."""
    one = life.submit()
    life.beat(worker="w1", lease_ms=LEASE_MS)
    for _ in range(POISON_LIMIT):
        claimed = life.claim_one(worker="w1", lease_ms=LEASE_MS)
        if had == "held it":
            life.beat(claimed, worker="w1", lease_ms=LEASE_MS + 5_000)
        run_out(life, one)
        if had == "never beaten since":
            life.command("ZINCRBY", life.key("workers"), -15_000, "w1")
        life.beat(worker="w2", lease_ms=LEASE_MS)

    assert life.read(one).status == "failed"
    assert b"died 3 times" in (life.read(one).error or b"")


def two_with_the_same_number(life: Life):
    """Claim, put Redis back to the moment before, and have another worker claim."""
    one = life.submit()
    before = life.command("DUMP", life.key("record", one))
    first = life.claim_one(worker="a")
    life.command("RESTORE", life.key("record", one), 0, before, "REPLACE")
    life.command("ZREM", life.key("leases"), one)
    score = 4 * 4398046511104
    life.command("ZADD", life.key("lane", "default", "f", ""), score, one)
    life.command("ZADD", life.key("keys", "default", "f"), 1, "")
    life.command("ZADD", life.key("ring", "default"), 1, "f")
    second = life.claim_one(worker="b")
    assert (first.id, first.token) == (second.id, second.token)
    return first, second


def test_after_redis_was_put_back_the_first_learns_that_it_has_lost(life: Life):
    first, second = two_with_the_same_number(life)

    assert life.beat(first, worker="a").lost == (first.id,)
    assert life.beat(second, worker="b").lost == ()


@pytest.mark.parametrize("status", ["succeeded", "failed", "retrying", "lost", "cancelled"])
def test_after_redis_was_put_back_only_the_second_may_settle(life: Life, status: str):
    first, second = two_with_the_same_number(life)

    assert life.settle(first, status) == "STALE"
    assert life.settle(second) == "DONE"
    assert life.settle(first) == "STALE"
    assert life.read(first.id).status == "succeeded"
    assert life.read(first.id).worker == "b"


def test_after_redis_was_put_back_only_the_second_may_speak_or_give_back(life: Life):
    first, second = two_with_the_same_number(life)
    reported = [Entry(number=1, kind="log", data=b"x")]

    assert life.connection.run(release([(first.id, first.token, True)], worker="a")) == 0
    assert not life.connection.run(append_events(first.id, first.token, reported, worker="a"))
    assert life.connection.run(append_events(second.id, second.token, reported, worker="b"))
    ending = Settlement(id=second.id, token=second.token, status="succeeded", ttl_ms=WEEK_MS)
    assert life.connection.run(settle([ending], worker="b")) == ["DONE"]
