"""A large batch is there with its commit; its members join the queue some at a time."""

from __future__ import annotations

import pytest

from runtime.invocations.ids import new_invocation_id
from runtime.store.invocation_commands import Settlement, cancel, settle
from runtime.store.recovery_commands import read_quarantine, recover
from runtime.store.submission_commands import JOINED_AT_ONCE, commit_batch, join_batch, stage_batch
from tests.support.checking import check_all
from tests.support.life import Life

SIZE = 2 * JOINED_AT_ONCE + 500
HOUR_MS = 3_600_000


def commit(life: Life, size: int, **call_options: int) -> tuple[str, list[str]]:
    batch, ids = new_invocation_id(), [new_invocation_id() for _ in range(size)]
    for start in range(0, size, 500):
        entries = [(one, b"{}") for one in ids[start : start + 500]]
        life.connection.run(
            stage_batch(
                batch=batch,
                function="f",
                queue="default",
                version="v",
                entries=entries,
                tags=("t",),
                key="k",
            )
        )
    assert (
        life.connection.run(commit_batch(batch=batch, size=size, **call_options)).reception == "NEW"
    )
    return batch, ids


def join_all(life: Life, batch: str) -> list[int]:
    left = [life.connection.run(join_batch(batch))]
    while left[-1]:
        left.append(life.connection.run(join_batch(batch)))
    return left


def count_in_batch(life: Life, batch: str, status: str) -> int:
    return int(life.command("HGET", life.key("batch", batch), status) or 0)


def claim_everything(life: Life) -> list[str]:
    found: list[str] = []
    while items := life.claim(64, lease_ms=HOUR_MS).items:
        endings = [
            Settlement(id=one.id, token=one.token, status="succeeded", ttl_ms=HOUR_MS)
            for one in items
        ]
        life.connection.run(settle(endings, worker="w1"))
        found += [item.id for item in items]
    return found


def test_a_small_batch_waits_with_its_commit(life: Life):
    _, ids = commit(life, JOINED_AT_ONCE)

    assert sorted(claim_everything(life)) == sorted(ids)


@pytest.mark.parametrize("call_options", [{}, {"max_age_ms": HOUR_MS}])
def test_a_large_batch_joins_in_its_order_and_ends(life: Life, call_options: dict[str, int]):
    batch, ids = commit(life, SIZE, **call_options)
    before = life.claim(5).items

    left = join_all(life, batch)

    assert before == ()
    assert left == [SIZE - JOINED_AT_ONCE, SIZE - 2 * JOINED_AT_ONCE, 0]
    assert check_all(life.connection) == []
    assert claim_everything(life) == ids
    assert count_in_batch(life, batch, "succeeded") == SIZE
    assert life.command("HGET", life.key("batch", batch), "finished_at")
    assert check_all(life.connection) == []


def test_a_batch_for_later_is_scheduled_as_it_joins(life: Life):
    batch, ids = commit(life, SIZE, delay_ms=HOUR_MS, max_age_ms=HOUR_MS)

    join_all(life, batch)

    assert (count_in_batch(life, batch, "queued"), count_in_batch(life, batch, "scheduled")) == (
        0,
        SIZE,
    )
    assert life.command("ZCARD", life.key("due", "default")) == SIZE
    assert life.read(ids[-1]).status == "scheduled"
    assert check_all(life.connection) == []


def test_what_is_cancelled_before_it_joins_does_not_run(life: Life):
    batch, ids = commit(life, SIZE)
    assert life.connection.run(cancel(ids[-1])) == "CANCELLED"
    assert check_all(life.connection) == []

    join_all(life, batch)

    assert claim_everything(life) == ids[:-1]
    assert (count_in_batch(life, batch, "succeeded"), count_in_batch(life, batch, "cancelled")) == (
        SIZE - 1,
        1,
    )
    assert life.command("HGET", life.key("batch", batch), "finished_at")


def test_a_member_that_was_evicted_while_it_joined_does_not_keep_the_batch_open(life: Life):
    batch, ids = commit(life, SIZE)
    life.connection.run(join_batch(batch))
    life.command("DEL", life.key("record", ids[-1]))

    join_all(life, batch)
    claim_everything(life)

    assert count_in_batch(life, batch, "failed") == 1
    assert life.command("HGET", life.key("batch", batch), "finished_at")


@pytest.mark.parametrize("size", [JOINED_AT_ONCE + 1, SIZE, 5_000])
def test_what_was_born_outlives_days_in_which_nobody_lets_it_join(life: Life, size: int):
    batch, ids = new_invocation_id(), [new_invocation_id() for _ in range(size)]
    for start in range(0, size, 500):
        entries = [(one, b"{}") for one in ids[start : start + 500]]
        life.connection.run(
            stage_batch(batch=batch, function="f", queue="default", version="v", entries=entries)
        )
    while life.connection.run(commit_batch(batch=batch, size=size)).reception == "PART":
        pass

    lives_ms = [life.command("PTTL", life.key("record", one)) for one in ids]

    assert min(lives_ms) > 6 * 24 * HOUR_MS
    join_all(life, batch)
    assert {life.command("PTTL", life.key("record", one)) for one in ids} == {-1}


def test_members_are_looked_for_some_at_a_time_before_any_is_born(life: Life):
    batch, ids = new_invocation_id(), [new_invocation_id() for _ in range(9_000)]
    for start in range(0, len(ids), 500):
        entries = [(one, b"{}") for one in ids[start : start + 500]]
        call = stage_batch(batch=batch, function="f", queue="q", version="v", entries=entries)
        life.connection.run(call)
    commit = commit_batch(batch=batch, size=len(ids))
    life.command("DEL", life.key("record", ids[8_500]))

    lacking = [life.connection.run(commit).reception for _ in range(3)]
    life.connection.run(
        stage_batch(
            batch=batch, function="f", queue="q", version="v", entries=[(ids[8_500], b"{}")]
        )
    )
    life.command("RPOP", life.key("batch_items", batch))
    whole = [life.connection.run(commit).reception for _ in range(4)]

    assert lacking == ["PART", "PART", "INCOMPLETE"]
    assert whole == ["PART", "PART", "NEW", "NEW"]


def test_a_worker_goes_on_where_the_gateway_died(life: Life):
    batch, _ = commit(life, SIZE)
    life.connection.run(join_batch(batch))
    fresh = life.connection.run(recover(lease_ms=HOUR_MS)).unjoined
    life.command("ZADD", life.key("joining"), "XX", 1, batch)

    reported = life.connection.run(recover(lease_ms=HOUR_MS)).unjoined
    join_all(life, batch)

    assert (fresh, reported) == ((), (batch,))
    assert life.connection.run(recover(lease_ms=HOUR_MS)).unjoined == ()
    assert life.connection.run(join_batch(batch)) == 0


@pytest.mark.parametrize("what", ["type", "size", "function", "queue"])
def test_a_damaged_batch_keeps_no_other_from_joining(life: Life, what: str):
    (hurt, _), (sound, ids) = commit(life, SIZE), commit(life, SIZE)
    if what == "type":
        life.command("SET", life.key("batch", hurt), "text")
    else:
        life.command("HDEL", life.key("batch", hurt), what)
    life.command("ZADD", life.key("joining"), "XX", 1, hurt, 2, sound)

    for batch in life.connection.run(recover(lease_ms=HOUR_MS)).unjoined:
        join_all(life, batch)

    assert claim_everything(life) == ids
    assert life.connection.run(recover(lease_ms=HOUR_MS)).unjoined == ()
    assert [one.id for one in life.connection.run(read_quarantine()).latest] == [hurt]
