"""What is kept of deliveries: lists, redelivery, retention, and how little waiting costs."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from runtime.store import delivery_commands
from runtime.store.delivery_commands import STATUSES, list_page
from runtime.store.scripts import Command
from runtime.store.statistics_commands import read_clock
from tests.integration.callbacks.conftest import Sending
from tests.support.monitoring import monitored
from tests.support.receiver import Receiver
from tests.support.waiting import eventually

WEEK_MS = 7 * 24 * 3_600_000


def ids_in_log(listed):
    return [entry.delivery.id for entry in listed]


def pages_of_log(sending: Sending, *, size: int, statuses=STATUSES):
    """Walk through a list page by page."""
    before = None
    found = []
    while True:
        page = sending.connection.run(list_page(statuses=statuses, limit=size, before=before))
        if not page:
            return found
        found += ids_in_log(page)
        before = (page[-1].created_at_ms, page[-1].delivery.id)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_pages_hold_every_delivery_once_newest_first(sending: Sending, receiver, size: int):
    together = sending.finish_many([receiver.url("/ok")] * 5)
    last = sending.finish(receiver.url("/ok"))

    found = pages_of_log(sending, size=size)

    assert found == [last, *sorted(together, reverse=True)]


def test_a_list_of_one_status_holds_only_that(sending: Sending, receiver: Receiver):
    good = sending.finish(receiver.url("/ok"))
    stopped = sending.finish(receiver.url("/status/410"))
    with sending.deliverer():
        sending.until(good, "delivered")
        sending.until(stopped, "stopped")

    assert pages_of_log(sending, size=9, statuses=("delivered",)) == [good]
    assert pages_of_log(sending, size=9, statuses=("stopped",)) == [stopped]
    assert pages_of_log(sending, size=9, statuses=("pending", "failed")) == []
    assert set(pages_of_log(sending, size=1)) == {good, stopped}


def test_a_delivery_whose_life_is_over_leaves_the_list(sending: Sending, receiver: Receiver):
    first, second, third = sending.finish_many([receiver.url("/ok")] * 3)
    sending.life.command("DEL", sending.life.key("delivery", second))

    assert pages_of_log(sending, size=1) == sorted((first, third), reverse=True)
    index = sending.life.key("deliveries", "pending")
    assert sending.life.command("ZCARD", index) == 2


def test_a_list_drops_some_of_those_that_are_no_more_and_not_all_at_once(
    sending: Sending, receiver: Receiver
):
    alive = sending.finish_many([receiver.url("/ok")] * 3)
    index = sending.life.key("deliveries", "pending")
    for first in range(0, 5_000, 1_000):
        pairs = [(at, f"dlv_{at}") for at in range(first, first + 1_000)]
        sending.life.command("ZADD", index, *(part for pair in pairs for part in pair))

    sizes = [int(sending.life.command("ZCARD", index))]
    while sizes[-1] > len(alive):
        assert sorted(pages_of_log(sending, size=100)) == sorted(alive)
        sizes.append(int(sending.life.command("ZCARD", index)))

    assert max(before - after for before, after in pairwise(sizes)) <= 2_200  # two lists


def test_a_pending_delivery_without_its_invocation_fails(sending: Sending, receiver: Receiver):
    delivery_id = sending.finish(receiver.url("/ok"))
    record = sending.life.key("record", sending.read(delivery_id).cause)
    sending.life.command("DEL", record)

    with sending.deliverer():
        delivery = sending.until(delivery_id, "failed")

    assert [json.loads(e)["error"] for e in delivery.attempts] == [
        "the invocation is no longer kept"
    ]


def test_redelivery_keeps_the_invocation_for_the_whole_timetable(
    sending: Sending, receiver: Receiver
):
    delivery_id = sending.finish(receiver.url("/ok"))
    with sending.deliverer():
        delivery = sending.until(delivery_id, "delivered")
    record = sending.life.key("record", delivery.cause)
    sending.life.command("PEXPIRE", record, 60_000)

    sending.connection.run(delivery_commands.redeliver(delivery_id))

    assert sending.life.command("PTTL", record) > 3.5 * 24 * 3_600_000


@pytest.mark.parametrize("left_ms", [1, 60_000])
def test_redelivery_keeps_the_invocation_from_the_sweep(
    sending: Sending, receiver: Receiver, left_ms: int
):
    delivery_id = sending.finish(receiver.url("/ok"))
    with sending.deliverer():
        delivery = sending.until(delivery_id, "delivered")
    retention = sending.life.key("retention")
    now_ms = sending.connection.run(read_clock())
    sending.life.command("ZADD", retention, now_ms + left_ms, delivery.cause)

    sending.connection.run(delivery_commands.redeliver(delivery_id))

    until_ms = float(sending.life.command("ZSCORE", retention, delivery.cause))
    assert until_ms > now_ms + 3.5 * 24 * 3_600_000
    assert sending.life.command("PTTL", sending.life.key("record", delivery.cause)) > (
        until_ms - now_ms
    )


def test_redelivery_never_shortens_what_is_kept_for_longer(sending: Sending, receiver: Receiver):
    delivery_id = sending.finish(receiver.url("/ok"))
    with sending.deliverer():
        delivery = sending.until(delivery_id, "delivered")
    retention = sending.life.key("retention")
    before = sending.life.command("ZSCORE", retention, delivery.cause)

    sending.connection.run(delivery_commands.redeliver(delivery_id))

    assert sending.life.command("ZSCORE", retention, delivery.cause) == before


def test_the_invocation_tells_where_its_callback_stands(sending: Sending, receiver: Receiver):
    delivery_id = sending.finish(receiver.url("/ok"))
    with sending.deliverer():
        delivery = sending.until(delivery_id, "delivered")

    record = sending.life.read(delivery.cause)
    assert (record.delivery, record.delivery_status) == (delivery_id, "delivered")
    assert record.delivery_attempts == 1


def test_ended_deliveries_are_kept_a_week_and_leave_no_other_key(
    sending: Sending, receiver: Receiver
):
    good = sending.finish(receiver.url("/ok"))
    bad = sending.finish(receiver.url("/status/410"))
    with sending.deliverer():
        sending.until(good, "delivered")
        sending.until(bad, "stopped")
        # A sender that looked before it blocked has left the token that called it.
        wake = sending.life.key("delivery_wake")
        eventually(lambda: sending.life.command("EXISTS", wake) == 0)

    for key in (key.decode() for key in sending.life.command("KEYS", "*dlv*")):
        lives_ms = sending.life.command("PTTL", key)
        is_index = any(key == sending.life.key("deliveries", status) for status in STATUSES)
        assert is_index or 0 < lives_ms <= WEEK_MS, key
    for delivery_id in (good, bad):
        assert sending.life.command("PTTL", sending.life.key("delivery", delivery_id)) > 0
        assert sending.life.command("PTTL", sending.life.key("attempts", delivery_id)) > 0


def test_a_pending_delivery_does_not_expire(sending: Sending, receiver: Receiver):
    delivery_id = sending.finish(receiver.url("/status/410"))
    with sending.deliverer():
        sending.until(delivery_id, "stopped")
    sending.connection.run(delivery_commands.redeliver(delivery_id))

    assert sending.life.command("PTTL", sending.life.key("delivery", delivery_id)) == -1
    assert sending.life.command("PTTL", sending.life.key("attempts", delivery_id)) == -1


def test_waiting_costs_two_commands_for_every_idle_time(sending: Sending):
    with sending.deliverer(idle_s=0.5):
        eventually(lambda: b"cmd=blpop" in sending.life.command("CLIENT", "LIST"))
        with monitored(sending.url.removeprefix("unix://")) as monitor:
            eventually(lambda: monitor.seen["blpop"] >= 4, within_s=5)

    assert monitor.seen.total() <= 2 * monitor.seen["blpop"] + 1


def test_one_token_wakes_and_a_sender_answers_at_once(sending: Sending, receiver: Receiver):
    with sending.deliverer(idle_s=30):
        eventually(lambda: b"cmd=blpop" in sending.life.command("CLIENT", "LIST"))
        for _ in range(3):
            delivery_id = sending.finish(receiver.url("/ok"))
            sending.until(delivery_id, "delivered", within_s=2)

    assert sending.connection.run(Command(("LLEN", sending.life.key("delivery_wake")), int)) <= 1
