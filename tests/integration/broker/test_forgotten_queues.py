"""A queue that nobody names any more is forgotten, and no worker looks at it."""

from __future__ import annotations

import threading

import msgspec

from runtime.broker.attempt import Attempt
from runtime.invocations.status import Status
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.sdk.options import Options
from runtime.store.system_commands import pause_queue, read_queues
from runtime.worker.queue_cleanup import QueueCleanup
from tests.integration.broker.conftest import broker_side, succeed
from tests.support.life import Life
from tests.support.redis_statistics import connections
from tests.support.waiting import eventually


def put_in_order(life: Life) -> None:
    housekeeper = QueueCleanup(life.connection, lambda: True)
    while housekeeper.step() < 1:
        pass


def store_manifest(life: Life, name: str, queue: str) -> None:
    manifest = Manifest(name=name, version="v", file="f.py", options=Options(queue=queue))
    life.command("HSET", life.key("functions"), name, encode_manifest(manifest))
    life.command("SADD", life.key("queues"), queue)


def queues(life: Life) -> set[str]:
    return {queue.name for queue in life.connection.run(read_queues())}


def test_a_queue_is_forgotten_when_nothing_of_it_is_left(life: Life):
    store_manifest(life, "f", "named")
    ids = {name: life.submit(queue=name) for name in ("lane", "held", "empty")}
    life.submit(queue="later", delay_ms=60_000)
    life.submit(queue="paused")
    life.connection.run(pause_queue("paused", is_paused=True))
    for name in ("empty", "paused"):
        life.command("DEL", life.key("ring", name), life.key("keys", name, "f"))
        life.command("HSET", life.key("queue", name), "waiting", 0)
    life.command("ZREM", life.key("ring", "held"), "f")
    life.command("ZADD", life.key("held", "held"), 2**50, "f")

    put_in_order(life)

    assert ids
    assert queues(life) == {"named", "lane", "held", "later", "paused"}
    assert life.command("EXISTS", life.key("queue", "empty"), life.key("wake", "empty")) == 0
    life.submit(queue="empty")
    assert "empty" in queues(life), "it comes back with the first call"
    put_in_order(life)
    assert "empty" in queues(life)


def test_one_that_runs_keeps_its_queue(life: Life):
    life.submit()
    claimed = life.claim_one()

    put_in_order(life)
    assert queues(life) == {"default"}

    life.settle(claimed)
    put_in_order(life)
    assert queues(life) == set()


def test_a_manifest_of_another_release_forgets_nothing(life: Life):
    life.command("SADD", life.key("queues"), "other")
    life.command("HSET", life.key("functions"), "f", msgspec.json.encode({"options": {"queue": 5}}))

    put_in_order(life)

    assert queues(life) == {"other"}


def test_a_worker_stops_serving_a_queue_and_may_begin_again(life: Life, redis_url: str):
    with broker_side(redis_url, succeed, capacity=2) as side:
        first = life.submit()
        eventually(lambda: life.read(first).is_finished)
        before = connections(life)
        for _ in range(3):
            side.serve("default", "other")
            served = life.submit(queue="other")
            eventually(lambda served=served: life.read(served).is_finished, within_s=1)
            assert connections(life) == before

            side.serve("default")
            served = life.submit()  # ends the wait that was under way
            eventually(lambda served=served: life.read(served).is_finished, within_s=1)
            left = life.submit(queue="other")
            served = life.submit()
            eventually(lambda served=served: life.read(served).is_finished, within_s=1)

            assert life.read(left).status == Status.QUEUED
        side.serve("other")
        eventually(lambda: life.read(left).is_finished, within_s=1)


def test_what_runs_when_its_queue_is_served_no_more_is_settled(life: Life, redis_url: str):
    begun, may_end = threading.Event(), threading.Event()

    def run(attempt: Attempt) -> None:
        begun.set()
        may_end.wait(10)
        succeed(attempt)

    with broker_side(redis_url, run, queues=("default", "other")) as side:
        one = life.submit(queue="other")
        assert begun.wait(10)

        side.serve("default")
        may_end.set()

        eventually(lambda: life.read(one).is_finished)
        eventually(lambda: not len(side.in_flight))
