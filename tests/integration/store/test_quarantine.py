"""What no script can work with is set aside and seen; it harms nobody and stays nowhere else."""

from __future__ import annotations

import pytest

from runtime.invocations.ids import new_invocation_id
from runtime.store.invocation_commands import Settlement, cancel, release, settle
from runtime.store.recovery_commands import read_quarantine, set_aside
from runtime.store.submission_commands import commit_batch, stage_batch
from runtime.store.system_commands import pause_queue, purge_queue, read_queues
from tests.support.life import WEEK_MS, Life

PLACES = ("leases", "expiring", "ring", "due")
BORN = ("function", "queue", "created_at", "status", "version", "arguments")


def set_aside_now(life: Life) -> dict[str, str]:
    quarantine = life.connection.run(read_quarantine())
    assert quarantine.count == len(quarantine.latest)
    return {one.id: one.reason for one in quarantine.latest}


def counts_of_queue(life: Life) -> tuple[int, int, int]:
    [queue] = life.connection.run(read_queues())
    return queue.waiting, queue.scheduled, queue.running


@pytest.mark.parametrize("function_limit", ["", "2 0 0"])
@pytest.mark.parametrize("lacks", [*BORN, "all"])
def test_a_claim_sets_one_aside_and_takes_all_others(life: Life, lacks: str, function_limit: str):
    if function_limit:
        life.command("HSET", life.key("limits"), "f", function_limit)
    ids = [life.submit(key=str(at % 2)) for at in range(6)]
    hurt = ids[2]
    cut(life, hurt, lacks)

    claimed = []
    while items := life.claim(8).items:
        claimed += [item.id for item in items]
        for item in items:
            assert life.settle(item) == "DONE"

    assert sorted(claimed) == sorted(set(ids) - {hurt})
    assert counts_of_queue(life) == (0, 0, 0)
    assert ("gone" if lacks == "all" else lacks) in set_aside_now(life)[hurt]
    for place in PLACES:
        assert not life.command("EXISTS", life.key(place, *(["default"] * (place in "ring due"))))


def cut(life: Life, invocation_id: str, lacks: str) -> None:
    record = life.key("record", invocation_id)
    if lacks == "all":
        life.command("DEL", record)
    elif lacks == "type":
        life.command("SET", record, "text")
    else:
        life.command("HDEL", record, lacks)


@pytest.mark.parametrize("how", ["settle", "lose", "release", "take over"])
@pytest.mark.parametrize("lacks", ["function", "queue", "created_at", "started_at", "attempt"])
def test_one_that_runs_leaves_everything_and_is_not_counted(life: Life, how: str, lacks: str):
    life.command("HSET", life.key("limits"), "f", "4 0 0")
    for _ in range(4):
        life.submit()
    items = life.claim(8).items
    hurt = items[1]
    life.command("HDEL", life.key("record", hurt.id), lacks)

    end_all(life, items, how)

    for _ in range(3):
        life.beat(worker="other")
    assert hurt.id in set_aside_now(life)
    waiting, _, running = counts_of_queue(life)
    assert (waiting, running) == ((3, 0) if how != "settle" else (0, 0))
    assert life.command("ZCARD", life.key("leases")) == 0
    assert not life.command("SISMEMBER", life.key("running", "f"), hurt.id)
    assert life.read(hurt.id).status == "failed"


def end_all(life: Life, items, how: str) -> None:
    if how in {"settle", "lose"}:
        status = "succeeded" if how == "settle" else "lost"
        endings = [Settlement(id=i.id, token=i.token, status=status, ttl_ms=WEEK_MS) for i in items]
        words = life.connection.run(settle(endings, worker="w1"))
        assert [words[0], *words[2:]] == ["DONE"] * 3
        assert words[1] in {"BROKEN", "DONE"}
    elif how == "release":
        held = [(i.id, i.token, True) for i in items]
        assert life.connection.run(release(held, worker="w1")) == 3
    else:
        for item in items:
            life.command("ZADD", life.key("leases"), 1, item.id)


def test_a_lost_record_with_a_lease_leaves_the_counts_right(life: Life):
    life.command("HSET", life.key("limits"), "f", "2 0 0")
    for _ in range(2):
        life.submit()
    gone, other = life.claim(2).items
    life.submit()
    life.command("DEL", life.key("record", gone.id))
    life.command("ZADD", life.key("leases"), 1, gone.id)

    life.beat(worker="other")

    assert "gone" in set_aside_now(life)[gone.id]
    assert counts_of_queue(life) == (1, 0, 1)
    assert len(life.claim(5).items) == 1, "its place under the limit is free"
    assert life.settle(other) == "DONE"


@pytest.mark.parametrize("lacks", [*BORN[:4], "type"])
def test_cancel_purge_and_expiry_go_on_beside_one(life: Life, lacks: str):
    ids = [life.submit(key="k", max_age_ms=1 if at > 3 else 0) for at in range(8)]
    later = [life.submit(delay_ms=60_000) for _ in range(3)]
    for hurt in (ids[0], ids[6], later[1]):
        cut(life, hurt, lacks)

    assert life.connection.run(cancel(ids[0])) in {"FINISHED", "MISSING"}
    assert life.connection.run(cancel(ids[1])) == "CANCELLED"
    for _ in range(3):
        life.beat()
    while life.connection.run(purge_queue("default")):
        pass

    assert counts_of_queue(life) == (0, 0, 0)
    sound = {*ids, *later} - {ids[0], ids[6], later[1]}
    assert {life.read(one).status.value for one in sound} == {"cancelled", "expired"}
    assert {ids[0], ids[6], later[1]} <= set(set_aside_now(life)) | {ids[0]}


@pytest.mark.parametrize("is_paused", [False, True])
def test_what_is_due_and_damaged_does_not_hold_up_the_others(life: Life, is_paused: bool):
    later = [life.submit(delay_ms=60_000) for _ in range(3)]
    for one, lacks in ((later[0], "created_at"), (later[1], "function")):
        cut(life, one, lacks)
    for one in later:
        life.command("ZADD", life.key("due", "default"), 1, one)
    life.connection.run(pause_queue("default", is_paused=is_paused))

    claimed = life.claim(5).items

    life.connection.run(pause_queue("default", is_paused=False))
    claimed += life.claim(5).items
    assert {item.id for item in claimed} == {later[2]}
    assert set(set_aside_now(life)) == set(later[:2])
    for one in later[:2]:
        assert life.command("ZSCORE", life.key("retention"), one)
        assert not life.command("ZSCORE", life.key("index", "scheduled"), one)


@pytest.mark.parametrize(
    ("field", "value"),
    [("created_at", "soon"), ("expires_at", "x"), ("attempt", "x"), ("token", "x")],
)
def test_a_field_that_is_no_number_harms_no_other(life: Life, field: str, value: str):
    ids = [life.submit() for _ in range(3)]
    life.command("HSET", life.key("record", ids[1]), field, value)

    claim = life.claim(5)
    for one in claim.unreadable:
        name, function, reason = one
        call = set_aside(name, queue="default", function=function, worker="w1", reason=reason)
        assert life.connection.run(call)

    assert [item.id for item in claim.items] == [ids[0], ids[2]]
    assert ids[1] in set_aside_now(life)
    assert counts_of_queue(life) == (0, 0, 2)
    assert life.read(ids[1]).status == "failed"


def test_another_cannot_set_aside_what_it_does_not_hold(life: Life):
    one = life.submit()
    life.claim_one(worker="w1")

    call = set_aside(one, queue="default", function="f", worker="w2", reason="x")

    assert not life.connection.run(call)
    assert life.read(one).status == "running"


def test_a_batch_ends_although_a_member_was_set_aside(life: Life):
    batch, ids = new_invocation_id(), [new_invocation_id() for _ in range(3)]
    entries = [(one, b"{}") for one in ids]
    life.connection.run(
        stage_batch(batch=batch, function="f", queue="default", version="v", entries=entries)
    )
    life.connection.run(commit_batch(batch=batch, size=3))
    cut(life, ids[1], "function")

    for item in life.claim(5).items:
        life.settle(item)

    reported = life.command("HMGET", life.key("batch", batch), "succeeded", "failed", "finished_at")
    assert reported[:2] == [b"2", b"1"]
    assert reported[2]


def test_a_batch_that_is_damaged_harms_none_of_its_members(life: Life):
    batch, ids = new_invocation_id(), [new_invocation_id() for _ in range(3)]
    entries = [(one, b"{}") for one in ids]
    life.connection.run(
        stage_batch(batch=batch, function="f", queue="default", version="v", entries=entries)
    )
    life.connection.run(commit_batch(batch=batch, size=3))
    life.command("SET", life.key("batch", batch), "text")

    items = life.claim(5).items
    words = [life.settle(items[0]), life.settle(items[1], "retrying"), life.settle(items[2])]

    assert words == ["DONE"] * 3
    assert batch in set_aside_now(life)
    assert life.command("ZCARD", life.key("leases")) == 0


def test_the_list_is_bounded_and_shows_the_latest(life: Life):
    for _ in range(1_030):
        life.command("DEL", life.key("record", life.submit()))
    while life.command("ZCARD", life.key("ring", "default")):
        life.claim(100)

    quarantine = life.connection.run(read_quarantine(most=5))

    assert quarantine.count == 1_000
    assert len(quarantine.latest) == 5
    assert life.command("HLEN", life.key("broken_reasons")) == 1_000


def test_what_was_set_aside_a_week_ago_is_listed_no_more(life: Life):
    ids = [life.submit() for _ in range(3)]
    for one in ids:
        life.command("DEL", life.key("record", one))
    life.claim(5)
    week_ms = 7 * 24 * 3_600_000
    for one in ids[:2]:
        life.command("ZINCRBY", life.key("broken"), -week_ms - 1, one)

    life.beat()

    assert set(set_aside_now(life)) == {ids[2]}
    assert life.command("HKEYS", life.key("broken_reasons")) == [ids[2].encode()]
