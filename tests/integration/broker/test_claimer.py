"""Claiming on the loop: as much as there is room for, from all queues, and nothing gets lost."""

from __future__ import annotations

import time
from typing import Any

import pytest

from runtime.invocations.status import Status
from runtime.store.invocation_commands import Claim, claim
from runtime.store.scripts import Command
from runtime.store.system_commands import pause_queue
from tests.integration.broker.claiming import Claiming, tokens
from tests.support.life import Life
from tests.support.loop_thread import turn_for, turn_until
from tests.support.monitoring import monitored
from tests.support.redis_statistics import blocked
from tests.support.waiting import allowed, eventually


def test_one_claim_is_under_way_at_a_time(life: Life, redis_url: str, claiming: Claiming):
    ids = [life.submit() for _ in range(10)]
    claiming.capacity = 4

    with monitored(redis_url.removeprefix("unix://")) as monitor:
        claiming.claimer.serve(["default"])
        for _ in range(20):
            claiming.claimer.look(has_more_room=True)
            claiming.loop.turn(0)
        claiming.wait_for(*ids[:4])
        turn_for(claiming.loop, 0.02)
        life.command("ECHO", "last")
        eventually(lambda: monitor.seen["echo"] == 1)  # all before it was seen
        assert monitor.seen["claim_invocations"] == 1

    assert claiming.ids == ids[:4], "the room there was"


def test_who_has_no_room_takes_no_token(life: Life, claiming: Claiming):
    claiming.capacity = 0
    claiming.claimer.serve(["default", "other"])
    life.submit()
    turn_for(claiming.loop, 0.05)
    assert (tokens(life, "default"), blocked(life), claiming.taken) == (1, 0, [])

    claiming.capacity = 1
    claiming.claimer.look(has_more_room=True)

    turn_until(claiming.loop, lambda: claiming.taken)
    turn_for(claiming.loop, 0.02)
    assert blocked(life) == 0, "its room is used up"
    claiming.end(1)
    claiming.park(life)


@pytest.mark.parametrize("queues", [["default"], ["default", "other"]])
def test_what_is_submitted_wakes_who_waits(life: Life, claiming: Claiming, queues: list[str]):
    claiming.claimer.serve(queues)
    for _ in range(3):
        claiming.park(life)
        for queue in queues:
            claiming.wait_for(life.submit(queue=queue), within_s=1)

    assert {attempt.queue for attempt in claiming.taken} == set(queues)


def test_more_is_claimed_as_soon_as_there_is_room(life: Life, claiming: Claiming):
    claiming.capacity = 2
    ids = [life.submit() for _ in range(5)]
    claiming.claimer.serve(["default"])
    claiming.wait_for(*ids[:2])

    claiming.end(1)
    claiming.wait_for(*ids[:3], within_s=1)
    claiming.end(2)
    claiming.wait_for(*ids, within_s=1)

    assert claiming.ids == ids


def test_room_that_comes_while_a_vain_claim_is_under_way_is_used(
    life: Life, claiming: Claiming, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("runtime.broker.claimer._VAIN_PAUSE_S", 60.0)
    claiming.capacity, claiming.rooms = 1, {"g": 5}
    ids = [life.submit() for _ in range(2)]
    limits: list[int] = []

    def watched(**named: Any) -> Command[Claim]:
        limits.append(named["limit"])
        if len(limits) == 2:  # for which there is nothing: what is held ends now
            claiming.end(1)
        return claim(**named)

    monkeypatch.setattr("runtime.broker.claimer.claim", watched)
    claiming.claimer.serve(["default"])

    claiming.wait_for(*ids)

    assert limits[:2] == [1, 0]


def test_a_call_that_has_room_is_found_behind_a_backlog_that_has_none(
    life: Life, claiming: Claiming
):
    claiming.capacity, claiming.rooms = 1, {"g": 5}
    for _ in range(3):
        life.submit()
    claiming.claimer.serve(["default"])
    turn_until(claiming.loop, lambda: claiming.taken)
    turn_for(claiming.loop, 0.05)

    claiming.wait_for(life.submit("g"), within_s=1)

    assert len(claiming.taken) == 2


@pytest.mark.parametrize("is_parked", [True, False])
def test_a_queue_that_is_new_is_served_at_once_and_the_others_go_on(
    life: Life, claiming: Claiming, *, is_parked: bool
):
    claiming.claimer.serve(["default"])
    if is_parked:
        claiming.park(life)
    before = life.submit(queue="other")

    claiming.claimer.serve(["default", "other"])

    assert claiming.claimer.queues == ("default", "other")
    claiming.wait_for(before, within_s=1)
    claiming.park(life)
    claiming.wait_for(life.submit(), life.submit(queue="other"), within_s=1)
    claiming.claimer.serve(["other", "default"])  # nothing new


def test_what_comes_while_a_wait_is_ended_for_a_new_queue_is_not_lost(
    life: Life, claiming: Claiming
):
    claiming.claimer.serve(["default"])
    claiming.park(life)
    one = life.submit()  # Redis claims it for us
    assert life.read(one).status == Status.RUNNING

    claiming.claimer.serve(["default", "other"])

    claiming.wait_for(one, life.submit(queue="other"), within_s=1)


@pytest.mark.parametrize("queues", [["default"], ["other", "default"]])
@pytest.mark.parametrize("is_parked", [True, False])
def test_what_falls_due_is_claimed_then(
    life: Life, claiming: Claiming, queues: list[str], *, is_parked: bool
):
    if is_parked:
        claiming.claimer.serve(queues)
        claiming.park(life)
    began_at = time.monotonic()
    one = life.submit(delay_ms=300)
    if not is_parked:
        claiming.claimer.serve(queues)

    claiming.wait_for(one, within_s=2)

    assert 0.25 < time.monotonic() - began_at < allowed(1)


def test_a_paused_queue_is_left_alone_and_goes_on_at_once(life: Life, claiming: Claiming):
    claiming.claimer.serve(["default", "other"])
    claiming.wait_for(life.submit())
    claiming.park(life)
    assert life.connection.run(pause_queue("default", is_paused=True))
    one = life.submit()
    claiming.wait_for(life.submit(queue="other"), within_s=1)
    assert one not in claiming.ids

    life.connection.run(pause_queue("default", is_paused=False))

    claiming.wait_for(one, within_s=1)


def test_many_queues_with_backlogs_take_turns(life: Life, claiming: Claiming):
    claiming.capacity = 1
    claiming.on_take = lambda: claiming.loop.call_soon(lambda: claiming.end(1))
    for _ in range(20):
        for queue in ("a", "b", "c"):
            life.submit(queue=queue)
    claiming.claimer.serve(["a", "b", "c"])

    turn_until(claiming.loop, lambda: len(claiming.taken) == 60)

    for begin in range(0, 57, 3):
        turn = [attempt.queue for attempt in claiming.taken[begin : begin + 4]]
        assert set(turn) == {"a", "b", "c"}


def test_a_backlog_keeps_no_other_queue_waiting(life: Life, claiming: Claiming):
    claiming.capacity = 1
    claiming.on_take = lambda: claiming.loop.call_later(0.005, lambda: claiming.end(1))
    for _ in range(300):
        life.submit(queue="busy")
    claiming.claimer.serve(["busy", "calm", "later"])
    turn_until(claiming.loop, lambda: len(claiming.taken) > 5)
    before = len(claiming.taken)

    calm, later = life.submit(queue="calm"), life.submit(queue="later", delay_ms=100)

    claiming.wait_for(calm, within_s=1)
    claiming.wait_for(later, within_s=1)
    assert len(claiming.taken) - before < 200


def test_a_lone_call_costs_one_claim_however_many_queues_there_are(
    life: Life, redis_url: str, claiming: Claiming
):
    claiming.claimer.serve([f"q{n}" for n in range(20)])
    claiming.park(life)
    turn_for(claiming.loop, 0.25)  # longer than a backlog may keep others waiting

    with monitored(redis_url.removeprefix("unix://")) as monitor:
        claiming.wait_for(life.submit(queue="q7"))
        claiming.park(life)
        eventually(lambda: monitor.seen["blpop"] == 1)  # the next wait: all before it was seen
        assert monitor.seen["claim_invocations"] == 1
