"""Queues and workers as they can be seen from outside."""

from __future__ import annotations

from runtime.store.system_commands import read_queues, read_workers
from tests.support.life import Life


def test_a_queue_shows_what_waits_what_is_due_later_and_what_runs(life: Life):
    for _ in range(3):
        life.submit()
    life.submit(delay_ms=60_000)
    life.claim()

    [queue] = life.connection.run(read_queues())

    assert (queue.name, queue.waiting, queue.scheduled, queue.running) == ("default", 2, 1, 1)
    assert queue.oldest_ms is not None
    assert 0 <= queue.oldest_ms < 5_000
    assert not queue.is_paused


def test_an_empty_queue_has_no_oldest(life: Life):
    life.submit()
    life.settle(life.claim_one())

    [queue] = life.connection.run(read_queues())

    assert (queue.waiting, queue.running, queue.oldest_ms) == (0, 0, None)


def test_workers_are_seen_while_their_heart_beats(life: Life):
    life.beat(worker="w1")
    life.beat(worker="w2")

    seen = life.connection.run(read_workers())

    assert {worker.id for worker in seen} == {"w1", "w2"}
    assert all(worker.started_at_ms <= worker.last_seen_at_ms for worker in seen)
