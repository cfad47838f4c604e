"""The heartbeat: leases that last, what was lost or cancelled, orders, and who publishes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.broker.attempt import Attempt
from runtime.broker.in_flight import InFlight
from runtime.errors import StoreUnavailableError
from runtime.invocations.status import Status
from runtime.loop import Loop
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.error_counters import REDIS_ERRORS
from runtime.store.invocation_commands import Claimed, HeartbeatReply, cancel
from runtime.store.loop_connection import LoopConnection
from runtime.store.recovery_commands import recover
from runtime.store.system_commands import appoint_publisher
from runtime.worker.heartbeat import Heartbeat
from tests.support.life import Life
from tests.support.loop_thread import turn_for, turn_until
from tests.support.redis_server import start_redis


class Beating:
    """A heartbeat that a test turns."""

    def __init__(
        self, url: str, *, interval_s: float = 0.05, lease_ms: int = 400, may_publish: int = 1
    ) -> None:
        self.loop = Loop()
        self.in_flight = InFlight()
        self.pulses: list[HeartbeatReply] = []
        self.orders: list[bytes] = []
        self.firsts = 0
        self.may_publish = may_publish
        self._connection = LoopConnection(url, self.loop, timeout_s=0.5)
        self.heartbeat = Heartbeat(
            self.loop,
            self._connection,
            LoopConnection(url, self.loop),
            worker="w1",
            lease_ms=lease_ms,
            interval_s=interval_s,
            in_flight=self.in_flight,
            describe=lambda: b'{"told":%d}' % len(self.pulses),
            on_pulse=lambda pulse, _: self.pulses.append(pulse),
            on_order=self.orders.append,
            may_publish=lambda: self.may_publish,
        )
        self.heartbeat.start(self._count_first)

    def hold(self, claimed: Claimed) -> None:
        self.in_flight.hold([Attempt(claimed, "default")])

    def wait_for_beat(self, *, within_s: float = 5.0) -> HeartbeatReply:
        """Turn until a beat that has not begun yet is answered."""
        count = len(self.pulses)
        turn_until(self.loop, lambda: len(self.pulses) > count + 1, within_s=within_s)
        return self.pulses[-1]

    def close(self) -> None:
        self.heartbeat.stop()
        self._connection.close()
        self.loop.close()

    def _count_first(self) -> None:
        self.firsts += 1


@pytest.fixture
def beating(redis_url: str) -> Iterator[Beating]:
    made = Beating(redis_url)
    yield made
    made.close()


def test_beats_keep_the_leases_of_what_is_held_and_of_nothing_else(life: Life, beating: Beating):
    held, other = life.submit(), life.submit()
    claimed, _ = life.claim(2, lease_ms=400).items
    beating.hold(claimed)

    turn_for(beating.loop, 0.8)
    life.connection.run(recover(lease_ms=400))

    assert life.read(held).status == Status.RUNNING
    assert life.read(other).status == Status.QUEUED
    assert 5 < len(beating.pulses) < 20


def test_what_has_become_somebody_else_s_is_told_as_lost(life: Life, beating: Beating):
    one, other = life.submit(), life.submit()
    mine, too = life.claim(2).items
    beating.hold(mine)
    beating.hold(too)
    assert beating.wait_for_beat().lost == ()

    life.settle(mine, "lost")
    life.claim_one(worker="w2")

    assert beating.wait_for_beat().lost == (one,)
    assert life.read(other).status == Status.RUNNING


def test_what_its_caller_has_cancelled_is_told_with_its_token(life: Life, beating: Beating):
    one = life.submit()
    claimed = life.claim_one()
    beating.hold(claimed)
    assert beating.wait_for_beat().cancelling == ()

    life.connection.run(cancel(one))

    assert beating.wait_for_beat().cancelling == ((one, claimed.token),)
    turn_until(beating.loop, lambda: beating.orders)
    assert beating.orders == [b"cancel %s %d" % (one.encode(), claimed.token)]


def test_orders_are_heard_at_once_in_order_and_also_after_the_connection_broke(
    life: Life, beating: Beating
):
    control = life.key("control", "w1")
    beating.wait_for_beat()
    life.command("RPUSH", control, "publish", "publish withdraw_missing")
    turn_until(beating.loop, lambda: len(beating.orders) == 2, within_s=1)

    life.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    turn_for(beating.loop, 0.05)
    life.command("RPUSH", control, "publish again")
    turn_until(beating.loop, lambda: len(beating.orders) == 3, within_s=2)

    assert beating.orders == [b"publish", b"publish withdraw_missing", b"publish again"]


def test_one_worker_publishes_and_who_may_replace_goes_before(life: Life, beating: Beating):
    assert beating.wait_for_beat().publishes
    assert not life.beat(worker="w2").publishes

    beating.may_publish = 0
    assert not beating.wait_for_beat().publishes
    turn_until(beating.loop, lambda: life.beat(worker="w2").publishes)
    beating.may_publish = 2

    turn_until(beating.loop, lambda: beating.pulses[-1].publishes)
    assert not life.beat(worker="w2").publishes


def test_a_beat_that_was_on_its_way_does_not_undo_an_appointment(life: Life, beating: Beating):
    beating.may_publish = 2
    assert beating.wait_for_beat().publishes
    life.beat(worker="w2")

    life.connection.run(appoint_publisher("w2", withdraw_missing=False))
    assert life.beat(worker="w2").publishes  # it says 1, as before it has read the order

    assert not beating.wait_for_beat().publishes
    assert life.beat(worker="w2").publishes


def test_queues_are_told_as_they_come(life: Life, beating: Beating):
    assert beating.wait_for_beat().queues == ()

    life.submit(queue="named")

    assert beating.wait_for_beat().queues == ("named",)


def test_the_first_answer_is_told_once_and_an_away_redis_is_asked_again_soon(tmp_path: Path):
    url = f"unix://{tmp_path}/redis.sock"
    beating = Beating(url, interval_s=2.0, lease_ms=10_000)
    turn_for(beating.loop, 0.4)
    assert (beating.firsts, beating.pulses) == (0, [])

    server = start_redis(tmp_path)
    connection = BlockingConnection(url)
    try:
        turn_until(beating.loop, lambda: beating.pulses, within_s=1.5)
        assert beating.firsts == 1
        assert Life(connection).command("ZCARD", connection.keys.build("workers")) == 1
        server.kill()
        server.wait()
        turn_for(beating.loop, 2.2)  # a beat is missed
        connection.close()
        server = start_redis(tmp_path)
        turn_until(beating.loop, lambda: len(beating.pulses) == 2, within_s=1.5)
        Life(connection).command("RPUSH", connection.keys.build("control", "w1"), "publish")
        turn_until(beating.loop, lambda: beating.orders)

        assert beating.firsts == 1
    finally:
        beating.close()
        server.kill()
        server.wait()
        connection.close()


def test_errors_of_redis_are_carried_to_the_counts_of_all(life: Life, beating: Beating):
    def count() -> int:
        return int(life.command("HGET", life.key("stats"), "redis_errors_unavailable") or 0)

    beating.wait_for_beat()
    before = count()

    REDIS_ERRORS.count(StoreUnavailableError("away"))

    turn_until(beating.loop, lambda: count() == before + 1)


def test_a_heartbeat_that_has_stopped_says_nothing_more(life: Life, beating: Beating):
    beating.wait_for_beat()
    count = len(beating.pulses)

    beating.heartbeat.stop()
    turn_for(beating.loop, 0.2)

    assert len(beating.pulses) == count
    assert life.command("CLIENT", "LIST").count(b"cmd=blpop") == 0
