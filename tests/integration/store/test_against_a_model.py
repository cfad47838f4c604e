"""Random commands against a model and a real Redis: they must agree on everything, always."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from runtime.invocations.status import FINISHED, MOVES, Status
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import POISON_LIMIT, Claimed, cancel, release
from runtime.store.listing_commands import list_page
from runtime.store.recovery_commands import UNHEARD_LIMIT
from runtime.store.system_commands import pause_queue, read_queues
from tests.support.life import Life
from tests.support.queue_model import CONCURRENCY, FUNCTIONS, WAITING, Expected, kept_back, room_for


class Queue(RuleBasedStateMachine):
    """The model: a dictionary of invocations; Redis must always look like it."""

    life: Life

    def __init__(self) -> None:
        super().__init__()
        self.life.command("FLUSHALL")
        for name, most in CONCURRENCY.items():
            self.life.command("HSET", self.life.key("limits"), name, f"{most} 0 0")
        self.life.beat(worker="mortal")
        self.model: dict[str, Expected] = {}
        self.stale: list[Claimed] = []
        self.is_paused = False

    def move(self, expected: Expected, after: Status) -> None:
        assert (expected.status, after) in MOVES
        expected.status = after

    def those(self, *statuses: Status) -> list[str]:
        return sorted(i for i, e in self.model.items() if e.status in statuses)

    def pick(self, data: st.DataObject, *statuses: Status) -> str:
        return data.draw(st.sampled_from(self.those(*statuses)))

    @rule(
        function=st.sampled_from(FUNCTIONS),
        priority=st.integers(0, 9),
        key=st.sampled_from(["", "a", "b"]),
        later=st.booleans(),
    )
    def submit(self, function: str, priority: int, key: str, later: bool) -> None:
        invocation_id = self.life.submit(
            function, priority=priority, key=key, delay_ms=3_600_000 if later else 0
        )
        status = Status.SCHEDULED if later else Status.QUEUED
        self.model[invocation_id] = Expected(function=function, status=status)

    @rule(
        limit=st.integers(0, 5),
        ahead=st.integers(0, 3),
        rooms=st.dictionaries(st.sampled_from(FUNCTIONS), st.integers(0, 2)),
    )
    def fetch(self, limit: int, ahead: int, rooms: dict[str, int]) -> None:
        claim = self.life.claim(limit, worker="mortal", ahead=ahead, rooms=rooms)
        claimed = claim.items
        room = room_for(self.model, rooms)
        within = 0 if self.is_paused else min(limit, sum(room.values()))
        taken = Counter(item.function for item in claimed[:within])
        most = {name: min(rooms.get(name, 0), room[name] - taken[name]) for name in room}
        further = 0 if self.is_paused else min(ahead, sum(most.values()))
        fewer = max(0, further - kept_back(self.model, behind=claimed[:within]))
        ahead_of_it = Counter(item.function for item in claimed[within:])
        assert claim.is_paused == self.is_paused
        assert within + fewer <= len(claimed) <= within + further
        assert all(count <= most[name] for name, count in ahead_of_it.items())
        for item in claimed:
            expected = self.model[item.id]
            self.move(expected, Status.RUNNING)
            expected.attempt += 1
            expected.claimed = item
            assert item.attempt == expected.attempt
            room[item.function] -= 1
        assert all(left >= 0 for left in room.values())

    @precondition(lambda self: self.those(Status.RUNNING))
    @rule(data=st.data(), ending=st.sampled_from(["succeeded", "failed", "retrying"]))
    def finish(self, data: st.DataObject, ending: str) -> None:
        expected = self.model[self.pick(data, Status.RUNNING)]
        assert expected.claimed is not None
        reply = self.life.settle(expected.claimed, ending, retry_after_ms=3_600_000)

        assert reply == "DONE"
        if ending == "retrying" and expected.is_cancelling:
            ending = "cancelled"
        self.move(expected, Status(ending))
        self.stale.append(expected.claimed)

    @precondition(lambda self: self.those(Status.RUNNING))
    @rule(data=st.data(), whole_worker=st.booleans())
    def crash(self, data: st.DataObject, whole_worker: bool) -> None:
        invocation_id = self.pick(data, Status.RUNNING)
        expected = self.model[invocation_id]
        assert expected.claimed is not None
        if whole_worker:
            self.life.command("ZREM", self.life.key("workers"), "mortal")
            self.life.command("ZADD", self.life.key("leases"), 1, invocation_id)
            assert len(self.life.beat(worker="other").taken_over) == 1
        else:
            self.life.settle(expected.claimed, "lost")

        expected.losses += 1
        self.stale.append(expected.claimed)
        if expected.is_cancelling:
            self.move(expected, Status.CANCELLED)
        elif expected.losses == POISON_LIMIT:
            self.move(expected, Status.FAILED)
        else:
            self.move(expected, Status.QUEUED)

    @precondition(lambda self: self.those(Status.RUNNING))
    @rule(data=st.data())
    def never_hear(self, data: st.DataObject) -> None:
        """The answer to a claim was lost: its worker beats on, and does not know of it."""
        invocation_id = self.pick(data, Status.RUNNING)
        expected = self.model[invocation_id]
        assert expected.claimed is not None
        self.life.beat(worker="mortal")
        self.life.command("HINCRBY", self.life.key("record", invocation_id), "started_at", -10_000)
        self.life.command("ZADD", self.life.key("leases"), 1, invocation_id)

        assert len(self.life.beat(worker="other").taken_over) == 1

        expected.unheard += 1
        expected.attempt -= 1
        self.stale.append(expected.claimed)
        if expected.is_cancelling:
            self.move(expected, Status.CANCELLED)
        elif expected.unheard == UNHEARD_LIMIT:
            self.move(expected, Status.FAILED)
        else:
            self.move(expected, Status.QUEUED)

    @precondition(lambda self: self.those(*WAITING, Status.RUNNING))
    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        """A record loses a field: whoever meets it next sets it aside, and nobody else notices."""
        invocation_id = self.pick(data, *WAITING, Status.RUNNING)
        expected = self.model[invocation_id]
        self.life.command("HDEL", self.life.key("record", invocation_id), "created_at")

        if expected.status == Status.RUNNING:
            assert expected.claimed is not None
            assert self.life.settle(expected.claimed) == "BROKEN"
            self.stale.append(expected.claimed)
        else:
            assert self.life.connection.run(cancel(invocation_id)) == "FINISHED"

        expected.status = Status.FAILED

    @precondition(lambda self: self.those(Status.RUNNING))
    @rule(data=st.data(), begun=st.booleans())
    def requeue(self, data: st.DataObject, begun: bool) -> None:
        expected = self.model[self.pick(data, Status.RUNNING)]
        assert expected.claimed is not None
        held = [(expected.claimed.id, expected.claimed.token, begun)]

        assert self.life.connection.run(release(held, worker=expected.claimed.worker)) == 1

        expected.attempt -= 0 if begun else 1
        self.stale.append(expected.claimed)
        self.move(expected, Status.CANCELLED if expected.is_cancelling else Status.QUEUED)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        expected = self.model[invocation_id := data.draw(st.sampled_from(sorted(self.model)))]

        word = self.life.connection.run(cancel(invocation_id))

        if expected.status in FINISHED:
            assert word == "FINISHED"
        elif expected.status == Status.RUNNING:
            assert word == "CANCELLING"
            expected.is_cancelling = True
        else:
            assert word == "CANCELLED"
            self.move(expected, Status.CANCELLED)

    @precondition(lambda self: self.those(Status.SCHEDULED, Status.RETRYING))
    @rule(data=st.data())
    def tick(self, data: st.DataObject) -> None:
        """The time of one that waits has come; whoever claims next notices."""
        invocation_id = self.pick(data, Status.SCHEDULED, Status.RETRYING)
        self.life.command("ZADD", self.life.key("due", "default"), 1, invocation_id)
        self.life.connection.run(pause_queue("default", is_paused=True))
        self.life.claim()
        if not self.is_paused:
            self.life.connection.run(pause_queue("default", is_paused=False))

        self.move(self.model[invocation_id], Status.QUEUED)

    @precondition(lambda self: self.model)
    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        if self.life.connection.run(pause_queue("default", is_paused=paused)):
            self.is_paused = paused

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def speak_too_late(self, data: st.DataObject) -> None:
        taken_over = [c for c in self.stale if self.model[c.id].status == Status.RUNNING]
        late = data.draw(st.sampled_from(taken_over or self.stale))

        assert self.life.settle(late, "succeeded", result=b'"late"') in {"STALE", "REPEATED"}

    @invariant()
    def every_record_is_as_the_model_says(self) -> None:
        for invocation_id, expected in self.model.items():
            record = self.life.read(invocation_id)
            assert (record.status, record.attempt) == (expected.status, expected.attempt)
            assert record.result != b'"late"'

    @invariant()
    def every_count_is_as_the_model_says(self) -> None:
        statuses = Counter(e.status for e in self.model.values())
        for queue in self.life.connection.run(read_queues()):
            assert queue.waiting == statuses[Status.QUEUED]
            assert queue.running == statuses[Status.RUNNING]
            assert queue.scheduled == statuses[Status.SCHEDULED] + statuses[Status.RETRYING]
        assert self.life.command("ZCARD", self.life.key("leases")) == statuses[Status.RUNNING]
        running = self.life.command("SCARD", self.life.key("running", "narrow"))
        assert running <= CONCURRENCY["narrow"]

    @invariant()
    def every_list_is_as_the_model_says(self) -> None:
        for status in Status:
            for function in ("", *FUNCTIONS):
                call = list_page(function=function, statuses=[status.value], most=1_000)
                ids = [found for found, _ in self.life.connection.run(call).records]
                those = [i for i in self.those(status) if function in {"", self.model[i].function}]
                assert ids == those[::-1]
        everything = self.life.connection.run(list_page(most=1_000)).records
        assert [found for found, _ in everything] == sorted(self.model, reverse=True)

    @invariant()
    def no_key_is_left_without_a_time_to_live_but_those_that_may(self) -> None:
        for invocation_id in self.those(*FINISHED):
            assert self.life.command("PTTL", self.life.key("record", invocation_id)) > 0

    def teardown(self) -> None:
        """At rest nothing is left behind: run all that waits, and look."""
        self.life.connection.run(pause_queue("default", is_paused=False))
        for invocation_id in self.those(*WAITING):
            self.life.connection.run(cancel(invocation_id))
        for invocation_id in self.those(Status.RUNNING):
            expected = self.model[invocation_id]
            assert expected.claimed is not None
            self.life.settle(expected.claimed)
        for index in ("live", "scheduled", "retrying"):
            for name in (index, *(f"{index}:{function}" for function in FUNCTIONS)):
                assert self.life.command("EXISTS", self.life.key("index", name)) == 0
        for name in ("ring", "due"):
            assert self.life.command("EXISTS", self.life.key(name, "default")) == 0
        assert self.life.command("EXISTS", self.life.key("leases")) == 0
        for function in FUNCTIONS:
            assert self.life.command("EXISTS", self.life.key("keys", "default", function)) == 0
            assert self.life.command("EXISTS", self.life.key("running", function)) == 0


@contextmanager
def machine_on(connection: BlockingConnection) -> Iterator[type[Queue]]:
    yield type("QueueOnRedis", (Queue,), {"life": Life(connection)})


@pytest.mark.timeout(120)
@pytest.mark.parametrize("examples", [25, pytest.param(80, marks=pytest.mark.faults)])
def test_redis_does_what_the_model_does_whatever_comes(
    connection: BlockingConnection, examples: int
):
    with machine_on(connection) as machine:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
