"""Limits, turns, cancels and expiries, as the scripts keep them."""

from __future__ import annotations

import threading
import time

from runtime.invocations.status import Status
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import cancel
from runtime.store.system_commands import pause_queue, purge_queue
from tests.support.life import Life
from tests.support.waiting import eventually


def limit(life: Life, function: str, *, concurrency: int = 0, rate: str = "0 0") -> None:
    life.command("HSET", life.key("limits"), function, f"{concurrency} {rate}")


def test_concurrency_is_never_exceeded_and_a_freed_place_is_filled(life: Life):
    limit(life, "f", concurrency=2)
    for _ in range(5):
        life.submit()

    first = life.claim(10).items
    while_full = life.claim(10).items
    life.settle(first[0])
    after_one_ended = life.claim(10).items

    assert (len(first), len(while_full), len(after_one_ended)) == (2, 0, 1)


def test_a_function_at_its_limit_holds_up_no_other(life: Life):
    limit(life, "f", concurrency=1)
    for _ in range(3):
        life.submit("f")
    life.claim_one()
    other = life.submit("g")

    assert life.claim_one().id == other


def test_concurrency_is_right_again_after_a_crash(life: Life):
    limit(life, "f", concurrency=1)
    life.submit()
    life.submit()
    life.claim_one(worker="dead", lease_ms=1)

    eventually(lambda: life.beat(worker="alive").taken_over)

    assert len(life.claim(10).items) == 1
    assert not life.claim(10).items


def test_concurrency_holds_among_many_claimers(life: Life, redis_url: str):
    limit(life, "f", concurrency=3)
    for _ in range(60):
        life.submit()
    together = 0
    most = 0
    lock = threading.Lock()

    def work(name: str) -> None:
        nonlocal together, most
        mine = Life(BlockingConnection(redis_url))
        for _ in range(200):
            for claimed in mine.claim(2, worker=name).items:
                with lock:
                    together += 1
                    most = max(most, together)
                with lock:
                    together -= 1
                mine.settle(claimed)
            if mine.command("HGET", mine.key("stats"), "f:succeeded") == b"60":
                break
        mine.connection.close()

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert life.command("HGET", life.key("stats"), "f:succeeded") == b"60"
    assert most <= 3


def test_a_rate_spreads_starts_without_refusing_any(life: Life):
    limit(life, "f", rate="100 1000")
    for _ in range(40):
        life.submit()

    began = time.monotonic()
    started = 0
    while time.monotonic() - began < 0.2:
        started += len(life.claim(10).items)

    assert 18 <= started <= 32


def test_a_rate_limited_function_tells_when_to_look_again(life: Life):
    limit(life, "f", rate="1 60000")
    life.submit()
    life.submit()
    life.claim()

    claim = life.claim()

    assert not claim.items
    assert claim.next_due_ms is not None
    assert 55_000 < claim.next_due_ms <= 60_000


def test_fairness_keys_of_a_function_take_turns(life: Life):
    for _ in range(20):
        life.submit(key="noisy")
    quiet = life.submit(key="quiet")

    assert quiet in [item.id for item in life.claim(2).items]


def test_keys_of_one_function_take_no_turns_from_another(life: Life):
    for n in range(20):
        life.submit("many", key=f"k{n}")
    other = life.submit("one")

    assert other in [item.id for item in life.claim(2).items]


def test_a_waiting_invocation_is_cancelled_at_once(life: Life):
    queued, later = life.submit(), life.submit(delay_ms=60_000)

    assert life.connection.run(cancel(queued)) == "CANCELLED"
    assert life.connection.run(cancel(later)) == "CANCELLED"

    assert {life.read(queued).status, life.read(later).status} == {Status.CANCELLED}
    assert not life.claim(10).items
    assert life.command("HGET", life.key("queue", "default"), "waiting") == b"0"
    assert life.connection.run(cancel(queued)) == "FINISHED"
    assert life.connection.run(cancel("no-such-id")) == "MISSING"


def test_cancelling_a_running_one_tells_its_worker(life: Life):
    life.submit()
    claimed = life.claim_one(worker="w7")

    assert life.connection.run(cancel(claimed.id)) == "CANCELLING"

    reported = life.connection.block([life.key("control", "w7")], timeout_s=1)
    assert reported is not None
    assert reported[1] == f"cancel {claimed.id} {claimed.token}".encode()
    assert life.settle(claimed, "cancelled") == "DONE"
    assert life.read(claimed.id).status == Status.CANCELLED


def test_a_cancelled_one_whose_worker_dies_is_not_run_again(life: Life):
    life.submit()
    claimed = life.claim_one(lease_ms=1)
    life.connection.run(cancel(claimed.id))

    eventually(lambda: life.beat(worker="other").taken_over)

    assert life.read(claimed.id).status == Status.CANCELLED


def test_a_lane_emptied_by_a_cancel_can_be_filled_again(life: Life):
    life.connection.run(cancel(life.submit()))
    again = life.submit()

    assert [item.id for item in life.claim(5).items] == [again]
    assert life.command("ZCARD", life.key("ring", "default")) == 0


def test_what_waits_too_long_expires_and_does_not_run(life: Life):
    old = life.submit(max_age_ms=60_000)
    fresh = life.submit(max_age_ms=60_000)
    life.command("HSET", life.key("record", old), "expires_at", 1)

    claimed = life.claim(10).items

    assert [item.id for item in claimed] == [fresh]
    assert life.read(old).status == Status.EXPIRED


def test_a_function_alone_starts_as_many_as_there_is_room_for_in_order(life: Life):
    ids = [life.submit() for _ in range(6)]
    urgent = life.submit(priority=9)
    too_old = life.submit(priority=8, max_age_ms=60_000)
    life.command("HSET", life.key("record", too_old), "expires_at", 1)

    first, second = life.claim(5), life.claim(5)

    assert [c.id for c in first.items] == [urgent, *ids[:4]]
    assert (first.remaining_lanes, second.remaining_lanes) == (1, 0)
    assert [c.id for c in second.items] == ids[4:]
    assert {(c.attempt, c.token) for c in (*first.items, *second.items)} == {(1, 1)}
    assert life.command("HMGET", life.key("queue", "default"), "waiting", "running") == [b"0", b"7"]
    assert life.command("ZCARD", life.key("leases")) == 7


def test_what_expires_while_nobody_claims_is_found_by_a_heartbeat(life: Life):
    old = life.submit(max_age_ms=60_000)
    later = life.submit(delay_ms=60_000, max_age_ms=60_000)
    for overdue in (old, later):
        life.command("ZADD", life.key("expiring"), 1, overdue)

    life.beat()

    assert {life.read(old).status, life.read(later).status} == {Status.EXPIRED}
    assert life.command("HGET", life.key("queue", "default"), "waiting") == b"0"


def test_a_paused_queue_fills_and_a_resumed_one_drains(life: Life):
    life.submit()
    assert life.connection.run(pause_queue("default", is_paused=True))
    life.submit()

    while_paused = life.claim(10).items
    life.command("DEL", life.key("wake", "default"))
    life.connection.run(pause_queue("default", is_paused=False))

    assert not while_paused
    assert life.command("LLEN", life.key("wake", "default")) == 1
    assert len(life.claim(10).items) == 2
    assert not life.connection.run(pause_queue("nowhere", is_paused=True))


def test_purging_a_queue_cancels_all_that_waits_there(life: Life):
    ids = [life.submit(key=f"k{n % 3}") for n in range(10)]
    ids.append(life.submit(delay_ms=60_000))
    running = life.claim_one()

    count = life.connection.run(purge_queue("default", most=4))
    while more := life.connection.run(purge_queue("default", most=4)):
        count += more

    assert count == 10
    left = [i for i in ids if life.read(i).status != Status.CANCELLED]
    assert left == [running.id]
    assert life.command("HMGET", life.key("queue", "default"), "waiting", "running") == [
        b"0",
        b"1",
    ]
