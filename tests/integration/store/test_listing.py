"""Lists, batches and retention, as the scripts keep them."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.invocations.ids import new_invocation_id
from runtime.invocations.status import Status
from runtime.store.listing_commands import list_page, read_batch
from runtime.store.retention_commands import sweep
from runtime.store.submission_commands import commit_batch, stage_batch
from tests.support.life import Life
from tests.support.waiting import eventually


def history(life: Life, most: int = 3, **filters: Any) -> list[list[str]]:
    """All pages of a listing, as ids."""
    pages, after = [], ""
    for _ in range(50):
        page = life.connection.run(list_page(**filters, after=after, most=most))
        pages.append([record_id for record_id, _ in page.records])
        if page.next is None:
            return pages
        after = page.next
    raise AssertionError("a listing without end")


def list_all(life: Life, **filters: Any) -> list[str]:
    return [i for page in history(life, **filters) for i in page]


def test_all_are_listed_newest_first_page_by_page(life: Life):
    ids = [life.submit() for _ in range(8)]

    pages = history(life)

    assert [i for page in pages for i in page] == ids[::-1]
    assert max(len(page) for page in pages) == 3


def test_lists_can_be_filtered_by_function_ending_and_tag(life: Life):
    wanted = life.submit("g", tags=["red"])
    life.submit("g")
    life.submit("f", tags=["red"])
    for claimed in life.claim(10).items:
        life.settle(claimed, "failed" if claimed.id == wanted else "succeeded")

    assert list_all(life, function="g", tag="red") == [wanted]
    assert list_all(life, statuses=["failed"]) == [wanted]
    assert list_all(life, statuses=["failed"], function="f") == []
    assert len(list_all(life, statuses=["succeeded"])) == 2
    assert len(list_all(life, tag="red")) == 2


@pytest.mark.parametrize("status", ["queued", "scheduled", "running", "retrying"])
def test_the_live_ones_are_listed_newest_first_whatever_their_turn(life: Life, status: str):
    delay_ms = 60_000 if status == "scheduled" else 0
    ids = [
        life.submit(delay_ms=delay_ms, priority=priority, key=key)
        for priority, key in ((1, ""), (5, "a"), (5, ""), (5, "b"), (9, "a"), (0, ""), (3, "c"))
    ]
    if status in {"running", "retrying"}:
        for claimed in life.claim(7).items:
            if status == "retrying":
                life.settle(claimed, "retrying", retry_after_ms=60_000)

    assert list_all(life, statuses=[status]) == ids[::-1]
    assert list_all(life, statuses=[status], function="f") == ids[::-1]
    assert list_all(life, statuses=[status], function="g") == []


def test_a_list_of_several_statuses_is_one_list_in_order(life: Life):
    later = [life.submit(delay_ms=60_000) for _ in range(2)]
    ended = [life.submit() for _ in range(4)]
    for number, claimed in enumerate(life.claim(4).items):
        life.settle(claimed, "failed" if number % 2 else "succeeded")
    run = [life.submit() for _ in range(2)]
    life.claim(2)
    wait = [life.submit("g") for _ in range(3)]

    assert list_all(life, statuses=["failed", "scheduled"]) == [ended[3], ended[1], *later[::-1]]
    assert list_all(life, statuses=["running", "succeeded"]) == [*run[::-1], ended[2], ended[0]]
    assert list_all(life, statuses=["queued", "running"]) == [*wait[::-1], *run[::-1]]
    assert list_all(life) == [*wait[::-1], *run[::-1], *ended[::-1], *later[::-1]]
    assert list_all(life, function="g", statuses=["failed", "queued"]) == wait[::-1]


def test_what_waits_under_any_number_of_keys_is_listed_whole(life: Life):
    ids = [life.submit(key=f"k{number}") for number in range(1_200)]

    assert [i for page in history(life, most=50, statuses=["queued"]) for i in page] == ids[::-1]


def test_a_list_of_what_runs_is_not_slowed_by_what_waits(life: Life):
    ids = [life.submit() for _ in range(5)]
    life.claim(5)
    for _ in range(1_500):
        life.submit()

    [page] = history(life, most=50, statuses=["running"])

    assert page == ids[::-1]


def test_what_is_past_its_retention_is_gone_from_everywhere(life: Life):
    life.submit(tags=["t"])
    claimed = life.claim_one()
    life.settle(claimed)
    life.command("ZADD", life.key("retention"), 1, claimed.id)
    kept = life.submit()

    assert life.connection.run(sweep()).count == 1

    assert list_all(life) == [kept]
    assert life.command("EXISTS", life.key("record", claimed.id)) == 0
    assert life.command("ZCARD", life.key("index", "tag:t")) == 0
    assert life.command("ZCARD", life.key("index", "end:f:succeeded")) == 0
    assert life.command("ZCARD", life.key("index", "live")) == 1


def stage(life: Life, batch: str, count: int, callback: str = "") -> list[str]:
    ids = [new_invocation_id() for _ in range(count)]
    life.connection.run(
        stage_batch(
            batch=batch,
            function="f",
            queue="default",
            version="v1",
            entries=[(i, b"{}") for i in ids],
            callback=callback,
            tags=["b"],
        )
    )
    return ids


def counts_of_batch(life: Life, batch: str) -> dict[str, int]:
    raw = life.connection.run(read_batch(batch))
    assert raw is not None
    fields = dict(zip(raw.fields[::2], raw.fields[1::2], strict=True))
    names = {status.value for status in Status}
    return {k.decode(): int(v) for k, v in fields.items() if k.decode() in names and int(v)}


def test_a_batch_is_born_whole_or_not_at_all(life: Life):
    batch = new_invocation_id()
    stage(life, batch, 3)

    before = (life.claim(10).items, life.connection.run(read_batch(batch)))
    incomplete = life.connection.run(commit_batch(batch=batch, size=4))
    born = life.connection.run(commit_batch(batch=batch, size=3))
    again = life.connection.run(commit_batch(batch=batch, size=3))

    assert before == ((), None)
    assert incomplete.reception == "INCOMPLETE"
    assert born == again
    assert born.reception == "NEW"
    assert len(life.claim(10).items) == 3


def test_a_staged_batch_that_nobody_commits_leaves_nothing(life: Life):
    batch = new_invocation_id()
    [first] = stage(life, batch, 1)

    assert 0 < life.command("PTTL", life.key("record", first)) <= 600_000
    assert 0 < life.command("PTTL", life.key("batch", batch)) <= 600_000


def test_a_batch_counts_its_members_and_calls_back_once_when_the_last_has_ended(life: Life):
    batch = new_invocation_id()
    ids = stage(life, batch, 3, callback="http://127.0.0.1/hook")
    life.connection.run(commit_batch(batch=batch, size=3))
    claimed = life.claim(2).items

    running = counts_of_batch(life, batch)
    life.settle(claimed[0])
    life.settle(claimed[1], "failed")
    before_last = life.command("ZCARD", life.key("deliveries_due"))
    life.settle(life.claim_one())

    assert running == {"running": 2, "queued": 1}
    assert counts_of_batch(life, batch) == {"succeeded": 2, "failed": 1}
    assert (before_last, life.command("ZCARD", life.key("deliveries_due"))) == (0, 1)
    page = life.connection.run(read_batch(batch, start=1, most=5))
    assert page is not None
    assert [record_id for record_id, _ in page.records] == ids[1:]


def test_every_attempt_that_was_not_the_last_is_noted(life: Life):
    life.submit()
    life.settle(life.claim_one(), "retrying", error=b'{"type":"exception","message":"x"}')
    again = eventually(lambda: life.claim(worker="w2").items)[0]
    life.settle(again, "lost")
    life.settle(life.claim_one(worker="w3"))

    [invocation] = list_all(life)

    noted = life.read(invocation).earlier_attempts
    assert noted.count(b'"attempt":') == 2
    assert b'"outcome":"retrying"' in noted
    assert b'"outcome":"worker_lost"' in noted
