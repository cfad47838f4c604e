"""Records with each field missing in turn: no script fails on one, and no neighbour is harmed."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from runtime.invocations.listing import Filters, list_invocations
from runtime.invocations.status import Status
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.event_commands import Entry, append_events, read_events
from runtime.store.invocation_commands import (
    Claimed,
    Settlement,
    cancel,
    claim,
    heartbeat,
    release,
    settle,
)
from runtime.store.recovery_commands import recover
from runtime.store.retention_commands import mend_index, sweep
from runtime.store.submission_commands import submit
from runtime.store.system_commands import purge_queue, read_queues
from tests.support.adverse_data import HOUR_MS, Adverse, Member
from tests.support.wounded_records import Wounded, add_wounded

MOST_TURNS = 20


@pytest.fixture
def data(connection: BlockingConnection) -> Adverse:
    return Adverse(connection=connection)


@pytest.fixture
def wounded(data: Adverse) -> Wounded:
    return add_wounded(data)


def sound(members: Iterable[Member]) -> list[Member]:
    return [one for one in members if not one.lacks]


def ids_of(members: Iterable[Member]) -> set[str]:
    return {one.id for one in members}


def statuses_of_members(data: Adverse, members: Iterable[Member]) -> set[str]:
    return {
        (data.command("HGET", data.key("record", one.id), "status") or b"").decode()
        for one in members
    }


def claim_in_turns(data: Adverse, queue: str) -> list[Claimed]:
    found: list[Claimed] = []
    for _ in range(MOST_TURNS):
        call = claim(queue=queue, worker="other", limit=16, lease_ms=HOUR_MS)
        found += data.connection.run(call).items
    return found


def beat(data: Adverse, held: Iterable[Member] = ()) -> tuple[str, ...]:
    call = heartbeat(
        worker="alive",
        lease_ms=HOUR_MS,
        worker_ttl_ms=HOUR_MS,
        may_publish=1,
        details=b"{}",
        held=[(one.id, one.token) for one in held],
    )
    lost = data.connection.run(call).lost
    data.connection.run(recover(lease_ms=HOUR_MS))
    return lost


def test_a_claim_takes_the_neighbours(data: Adverse, wounded: Wounded):
    waiting = (*wounded.queued, *wounded.due)
    due = [word for one in wounded.due for word in (1, one.id)]
    data.command("ZADD", data.key("due", wounded.queue), *due)

    claimed = claim_in_turns(data, wounded.queue)

    assert ids_of(sound(waiting)) <= {one.id for one in claimed}
    assert statuses_of_members(data, sound(waiting)) == {"running"}


def test_neighbours_are_settled_together_with_them(data: Adverse, wounded: Wounded):
    words = data.connection.run(
        settle(
            [
                Settlement(id=one.id, token=one.token, status=status, ttl_ms=HOUR_MS)
                for one, status in zip(
                    wounded.running,
                    ["succeeded", "succeeded", "failed", "failed"] * 20,
                    strict=False,
                )
            ],
            worker="alive",
        )
    )

    reported = dict(zip(wounded.running, words, strict=True))
    assert {reported[one] for one in sound(wounded.running)} == {"DONE"}
    assert statuses_of_members(data, sound(wounded.running)) == {"succeeded", "failed"}
    assert not _leased(data, sound(wounded.running))


@pytest.mark.parametrize("status", ["retrying", "lost", "cancelled"])
def test_neighbours_end_otherwise_together_with_them(data: Adverse, wounded: Wounded, status: str):
    words = data.connection.run(
        settle(
            [
                Settlement(id=one.id, token=one.token, status=status, ttl_ms=HOUR_MS)
                for one in wounded.running
            ],
            worker="alive",
        )
    )

    reported = dict(zip(wounded.running, words, strict=True))
    assert {reported[one] for one in sound(wounded.running)} == {"DONE"}
    assert not _leased(data, sound(wounded.running))


def _leased(data: Adverse, members: Iterable[Member]) -> set[str]:
    leases = {one.decode() for one in data.command("ZRANGE", data.key("leases"), 0, -1)}
    return leases & ids_of(members)


def test_neighbours_are_given_back(data: Adverse, wounded: Wounded):
    data.connection.run(
        release([(one.id, one.token, True) for one in wounded.running], worker="alive")
    )

    assert statuses_of_members(data, sound(wounded.running)) == {"queued"}
    assert ids_of(sound(wounded.running)) <= {one.id for one in claim_in_turns(data, wounded.queue)}


def test_neighbours_stay_held(data: Adverse, wounded: Wounded):
    lost = beat(data, wounded.running)

    assert not ids_of(sound(wounded.running)) & set(lost)


def test_neighbours_are_taken_over(data: Adverse, wounded: Wounded):
    past = [word for one in wounded.running for word in (1, one.id)]
    data.command("ZADD", data.key("leases"), *past)

    for _ in range(3):
        beat(data)

    assert statuses_of_members(data, sound(wounded.running)) == {"queued"}
    assert not data.command("ZCOUNT", data.key("leases"), "-inf", 1)
    assert ids_of(sound(wounded.running)) <= {one.id for one in claim_in_turns(data, wounded.queue)}


def test_neighbours_expire(data: Adverse, wounded: Wounded):
    waiting = (*wounded.queued, *wounded.due)
    for one in waiting:
        data.command("ZADD", data.key("expiring"), 1, one.id)

    for _ in range(3):
        beat(data)

    assert statuses_of_members(data, sound(waiting)) == {"expired"}
    assert not data.command("ZCOUNT", data.key("expiring"), "-inf", 1)


def test_neighbours_are_cancelled_each_and_by_a_purge(data: Adverse, wounded: Wounded):
    waiting = (*wounded.queued, *wounded.due)
    half = len(waiting) // 2
    for one in (*waiting[:half], *wounded.running, *wounded.ended):
        data.connection.run(cancel(one.id))
    for _ in range(MOST_TURNS):
        if not data.connection.run(purge_queue(wounded.queue)):
            break

    assert statuses_of_members(data, sound(waiting)) == {"cancelled"}


def test_neighbours_are_swept(data: Adverse, wounded: Wounded):
    while data.connection.run(sweep(turn_ms=1)).next_due_ms == 0:
        pass

    assert not data.command("EXISTS", *(data.key("record", one.id) for one in wounded.ended))
    data.connection.run(mend_index(f"end:{wounded.function}:succeeded", most=1_000))
    left = data.command("ZRANGE", data.key("index", f"end:{wounded.function}:succeeded"), 0, -1)
    assert not ids_of(wounded.ended) & {one.decode() for one in left}


@pytest.mark.parametrize(
    ("group", "status"),
    [
        ("queued", Status.QUEUED),
        ("due", Status.SCHEDULED),
        ("running", Status.RUNNING),
        ("ended", Status.SUCCEEDED),
        ("ended", None),
        ("running", None),
    ],
)
def test_neighbours_are_listed(data: Adverse, wounded: Wounded, group: str, status: Status | None):
    found: set[str] = set()
    after: tuple[str, ...] | None = ()
    filters = Filters(function=wounded.function, statuses=(status,) if status else ())
    while after is not None:
        page = data.connection.run(list_invocations(filters, after=after, most=20))
        found |= {record.id for record in page.records}
        after = page.next

    assert ids_of(sound(getattr(wounded, group))) <= found


def test_they_may_be_told_of_and_followed(data: Adverse, wounded: Wounded):
    for one in (*wounded.running, *wounded.queued):
        data.connection.run(
            append_events(
                one.id, one.token, [Entry(number=1, kind="log", data=b"1")], worker="alive"
            )
        )
        data.connection.run(read_events(one.id))

    assert len(data.connection.run(read_queues())) == 1


def test_a_function_that_has_them_takes_new_calls(data: Adverse, wounded: Wounded):
    entries = [("new", b"{}", ())]
    data.connection.run(
        submit(function=wounded.function, queue=wounded.queue, version="v", entries=entries)
    )

    assert "new" in {one.id for one in claim_in_turns(data, wounded.queue)}
