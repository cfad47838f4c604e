"""The scripts of an invocation's life, against a real Redis."""

from __future__ import annotations

import threading

import pytest

from runtime.invocations.status import Status
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import Claimed, parse_notice, release
from runtime.store.recovery_commands import recover
from tests.support.life import Life
from tests.support.listener import Listener
from tests.support.waiting import eventually


def test_an_invocation_is_known_as_soon_as_it_is_submitted(life: Life):
    invocation_id = life.submit("hello", arguments=b'{"name":"x"}')

    record = life.read(invocation_id)

    assert (record.status, record.function, record.arguments, record.attempt) == (
        Status.QUEUED,
        "hello",
        b'{"name":"x"}',
        0,
    )


def test_submitting_the_same_id_twice_makes_one_invocation(life: Life):
    invocation_id = life.submit()

    life.submit(invocation_id=invocation_id)

    assert len(life.claim(10).items) == 1


def test_a_claim_raises_the_attempt_before_the_run(life: Life):
    life.submit()

    claimed = life.claim_one()

    record = life.read(claimed.id)
    assert (claimed.attempt, record.attempt, record.status) == (1, 1, Status.RUNNING)
    assert record.worker == "w1"


def test_a_success_is_written_whole_and_ends_the_lease(life: Life):
    life.submit()
    claimed = life.claim_one()

    assert life.settle(claimed, result=b'{"a":1}', logs=b"hi") == "DONE"

    record = life.read(claimed.id)
    assert (record.status, record.result, record.logs) == (Status.SUCCEEDED, b'{"a":1}', b"hi")
    assert record.finished_at_ms is not None
    assert life.command("ZCARD", life.key("leases")) == 0
    assert life.command("HGET", life.key("stats"), "f:succeeded") == b"1"
    assert life.command("PTTL", life.key("record", claimed.id)) > 0


def test_lanes_take_turns_whatever_waits_in_one(life: Life):
    for _ in range(50):
        life.submit("busy")
    late = life.submit("rare")

    first_two = [life.claim_one().id for _ in range(2)]

    assert late in first_two


def test_within_a_lane_priority_goes_first_and_then_age(life: Life):
    old = life.submit(priority=5)
    young = life.submit(priority=5)
    urgent = life.submit(priority=9)
    lazy = life.submit(priority=0)

    order = [item.id for item in life.claim(4).items]

    assert order == [urgent, old, young, lazy]


def test_a_delayed_invocation_is_not_claimed_before_its_time(life: Life):
    invocation_id = life.submit(delay_ms=150)

    early = life.claim()
    later = eventually(lambda: life.claim().items)

    assert not early.items
    assert early.next_due_ms is not None
    assert 0 < early.next_due_ms <= 150
    record = life.read(invocation_id)
    assert later[0].id == invocation_id
    assert record.started_at_ms >= record.scheduled_for_ms


def test_a_late_result_of_a_worker_that_lost_its_lease_is_refused_and_counted(life: Life):
    life.submit()
    cut_off = life.claim_one(worker="cut-off", lease_ms=1)
    eventually(lambda: life.beat(worker="other").taken_over)
    taken_over = life.claim_one(worker="other")

    assert life.settle(cut_off, result=b'"late"') == "STALE"
    assert life.settle(taken_over, result=b'"right"') == "DONE"
    assert life.settle(cut_off, result=b'"later"') == "STALE"

    assert life.read(taken_over.id).result == b'"right"'
    assert life.command("HGET", life.key("stats"), "late_results") == b"2"


def test_settling_again_after_a_lost_answer_changes_nothing(life: Life):
    life.submit()
    claimed = life.claim_one()
    life.settle(claimed, result=b"1")

    assert life.settle(claimed, result=b"2") == "REPEATED"

    assert life.read(claimed.id).result == b"1"
    assert life.command("HGET", life.key("stats"), "late_results") is None


def test_a_lease_is_kept_by_heartbeats_of_its_holder_only(life: Life):
    life.submit()
    mine = life.claim_one(worker="w1", lease_ms=200)
    claimed_until = lease_end_ms(life, mine)

    for _ in range(3):
        assert life.beat(mine, worker="w1", lease_ms=60_000).lost == ()
    kept_until = lease_end_ms(life, mine)
    other = life.beat(mine, worker="w2")

    assert kept_until - claimed_until > 50_000
    assert not other.taken_over
    assert life.read(mine.id).status == Status.RUNNING


def lease_end_ms(life: Life, claimed: Claimed) -> float:
    return float(life.command("ZSCORE", life.key("leases"), claimed.id))


def test_the_third_death_of_a_runner_fails_the_invocation(life: Life):
    life.submit()

    for attempt in (1, 2, 3):
        claimed = life.claim_one()
        assert claimed.attempt == attempt
        life.settle(claimed, "lost")

    record = life.read(claimed.id)
    assert record.status == Status.FAILED
    assert b'"worker_lost"' in record.error
    assert record.attempt == 3
    assert not life.claim().items


def test_a_retry_waits_in_redis_until_it_is_due(life: Life):
    life.submit()
    claimed = life.claim_one()

    life.settle(claimed, "retrying", retry_after_ms=80, error=b'{"type":"exception"}')

    assert life.read(claimed.id).status == Status.RETRYING
    again = eventually(lambda: life.claim().items)[0]
    record = life.read(again.id)
    assert (again.id, again.attempt) == (claimed.id, 2)
    assert record.started_at_ms - record.created_at_ms >= 80


def test_a_success_after_a_retry_shows_no_error(life: Life):
    life.submit()
    life.settle(life.claim_one(), "retrying", retry_after_ms=0, error=b'{"type":"exception"}')

    claimed = eventually(lambda: life.claim().items)[0]
    life.settle(claimed)

    assert life.read(claimed.id).error is None


@pytest.mark.parametrize(("begun", "attempt"), [(False, 0), (True, 1)])
def test_what_a_worker_gives_back_counts_as_an_attempt_only_if_begun(
    life: Life, begun: bool, attempt: int
):
    life.submit()
    claimed = life.claim_one()

    assert (
        life.connection.run(release([(claimed.id, claimed.token, begun)], worker=claimed.worker))
        == 1
    )

    assert life.read(claimed.id).attempt == attempt
    assert life.settle(claimed) == "STALE"
    assert life.claim_one().token == claimed.token + 1


def test_a_waiting_gateway_is_told_the_whole_ending(life: Life, redis_url: str):
    heard = Listener(redis_url, life.key("inbox", "g1"))
    life.submit(waiters="g1", arguments=b'{"big":1}')
    claimed = life.claim_one()

    life.settle(claimed, result=b'"\xc3\xa9"')

    invocation_id, flat = parse_notice(heard.one())
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    assert invocation_id == claimed.id
    assert fields[b"status"] == b"succeeded"
    assert fields[b"result"] == b'"\xc3\xa9"'
    assert b"arguments" not in fields


def test_a_callback_is_created_in_the_same_step_as_the_ending(life: Life):
    life.submit(callback="https://example.com/hook")
    claimed = life.claim_one()

    life.settle(claimed)

    record = life.read(claimed.id)
    assert record.delivery == f"dlv_{claimed.id}"
    assert record.delivery_status == "pending"
    assert life.command("ZCARD", life.key("deliveries_due")) == 1


def test_after_a_silence_those_who_return_first_take_nobodys_work(life: Life):
    life.submit()
    life.beat(worker="w2")
    claimed = life.claim_one(worker="w1", lease_ms=1)
    life.command("SET", life.key("pulse"), 0)

    first = life.beat(worker="w2")

    assert not first.taken_over
    assert life.settle(claimed) == "DONE"


def test_after_a_silence_nothing_is_taken_over_before_a_heart_has_beaten(life: Life):
    life.submit()
    life.beat(worker="w2")
    claimed = life.claim_one(worker="w1", lease_ms=1)
    life.command("SET", life.key("pulse"), 0)
    late = life.submit(max_age_ms=1)
    eventually(lambda: life.now_ms() > life.read(late).created_at_ms + 1)

    care = life.connection.run(recover(lease_ms=10_000))

    assert care.taken_over == ()
    assert care.expired == (late,)
    assert life.settle(claimed) == "DONE"


def test_a_blocked_worker_wakes_and_passes_the_baton_while_work_remains(life: Life, redis_url: str):
    wake = life.key("wake", "default")
    for _ in range(3):
        life.submit()

    assert life.command("LLEN", wake) == 1
    life.connection.block([wake], timeout_s=1)
    life.claim(1)
    assert life.command("LLEN", wake) == 1
    life.connection.block([wake], timeout_s=1)
    life.claim(10)
    assert life.command("LLEN", wake) == 0


def test_many_claimers_never_share_an_invocation(life: Life, redis_url: str):
    ids = {life.submit() for _ in range(200)}
    taken: list[str] = []

    def take(name: str) -> None:
        mine = Life(BlockingConnection(redis_url))
        while items := mine.claim(3, worker=name).items:
            taken.extend(item.id for item in items)
        mine.connection.close()

    threads = [threading.Thread(target=take, args=(f"w{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == sorted(ids)
