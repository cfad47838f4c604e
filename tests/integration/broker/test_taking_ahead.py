"""A worker takes calls ahead of its places where their function has room, and writes in groups."""

from __future__ import annotations

import threading
import time

import pytest

from runtime.broker.attempt import Attempt
from runtime.invocations.status import Status
from tests.integration.broker.conftest import broker_side, succeed
from tests.support.life import Life
from tests.support.redis_statistics import scripts_run
from tests.support.waiting import eventually


class QuickWork:
    """Quick calls, but for those whose argument is `slow`: they wait until they may go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.held = 0

    def run(self, attempt: Attempt) -> None:
        if attempt.claimed.arguments == b'"slow"':
            self.held += 1
            self.go_on.wait(10)
        succeed(attempt)


@pytest.fixture
def work():
    work = QuickWork()
    yield work
    work.go_on.set()


def count_succeeded(life: Life, function: str = "f") -> int:
    return int(life.command("HGET", life.key("stats"), f"{function}:succeeded") or 0)


def test_what_has_room_is_claimed_and_settled_many_at_a_time(
    life: Life, redis_url, work: QuickWork
):
    with broker_side(redis_url, work.run, capacity=2, rooms={"f": 64}) as side:
        life.command("HSET", life.key("queue", "default"), "paused", "1")
        for _ in range(1000):
            life.submit()
        life.command("CONFIG", "RESETSTAT")
        life.command("HSET", life.key("queue", "default"), "paused", "0")
        eventually(lambda: count_succeeded(life) == 1000)
        scripts = scripts_run(life)

        assert scripts < 400  # two for each call at most one at a time would be 2,000
        assert side.most_held > 2


def test_without_room_no_more_than_the_places_is_taken(life: Life, redis_url: str, work: QuickWork):
    with broker_side(redis_url, work.run, capacity=2, rooms={"g": 10}) as side:
        for _ in range(20):
            life.submit(arguments=b'"slow"')
        eventually(lambda: work.held == 2)
        for _ in range(5):
            life.submit("g")
        queue = life.key("queue", "default")
        eventually(lambda: life.command("HGET", queue, "running") == b"7")

        assert life.command("HGET", queue, "waiting") == b"18"
        eventually(lambda: side.most_held == 7)  # Redis counts them before the worker has them
        work.go_on.set()
        eventually(lambda: count_succeeded(life) == 20)


def test_what_is_given_back_before_it_has_begun_is_not_counted(life: Life, redis_url: str):
    refused = threading.Event()

    def refuse(attempt: Attempt) -> None:
        attempt.is_begun = False
        refused.set()

    ids = [life.submit() for _ in range(20)]
    with broker_side(redis_url, refuse, capacity=2, rooms={"f": 10}, name="w1"):
        assert refused.wait(5)
    with broker_side(redis_url, succeed, capacity=2, name="w2"):
        eventually(lambda: count_succeeded(life) == 20)

    assert {life.read(i).attempt for i in ids} == {1}


def test_an_ending_is_written_while_another_call_runs_on(
    life: Life, redis_url: str, work: QuickWork
):
    with broker_side(redis_url, work.run, capacity=1, rooms={"f": 1}):
        quick = life.submit()
        life.submit(arguments=b'"slow"')

        eventually(lambda: life.read(quick).status == Status.SUCCEEDED, within_s=2)

        assert not work.go_on.is_set()
        work.go_on.set()


def test_endings_whose_answer_is_lost_are_written_once(life: Life, redis_url: str, work: QuickWork):
    def all_is_over() -> bool:
        life.beat(worker="other")  # claims whose answers were lost are taken over
        return life.command("ZCARD", life.key("leases")) == 0

    with broker_side(redis_url, work.run, capacity=4, lease_ms=500):
        for _ in range(40):
            ids = [life.submit() for _ in range(25)]
            life.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        eventually(all_is_over, within_s=30, every_s=0.1)
        eventually(lambda: count_succeeded(life) == 1000, within_s=30)

    assert {life.read(i).status for i in ids} == {Status.SUCCEEDED}


def test_a_log_that_cannot_be_written_stops_no_endings(
    life: Life, redis_url: str, work: QuickWork, monkeypatch: pytest.MonkeyPatch
):
    failures = iter([True] * 3)

    def fail(*_: object) -> None:
        if next(failures, False):
            raise OSError("no space left on device")

    monkeypatch.setattr("runtime.broker.settler.log_ended", fail)
    with broker_side(redis_url, work.run, capacity=2) as side:
        for _ in range(200):
            life.submit()
        eventually(lambda: count_succeeded(life) == 200)
        eventually(lambda: not len(side.in_flight))
    assert next(failures, None) is None


def test_a_backlog_that_cannot_be_taken_ahead_is_not_asked_for_again_and_again(
    life: Life, redis_url: str, work: QuickWork
):
    with broker_side(redis_url, work.run, capacity=2, rooms={"f": 10}):
        for _ in range(20):
            life.submit("s", arguments=b'"slow"')
        eventually(lambda: work.held == 2)
        life.command("CONFIG", "RESETSTAT")
        began_at = time.monotonic()
        eventually(lambda: time.monotonic() - began_at > 0.3)
        claims = scripts_run(life)
        work.go_on.set()
        eventually(lambda: count_succeeded(life, "s") == 20)

    assert claims < 10
