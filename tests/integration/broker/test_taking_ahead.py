"""A worker takes quick calls ahead of its threads, and parks none behind a slow one."""

from __future__ import annotations

import threading
import time

import pytest

from runtime.broker.attempt import Attempt
from runtime.invocations.statuses import Status
from tests.integration.broker.conftest import dramatiq_worker, succeed
from tests.support.life import Life
from tests.support.waiting import eventually


class Work:
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
    work = Work()
    yield work
    work.go_on.set()


def succeeded(life: Life, function: str = "f") -> int:
    return int(life.command("HGET", life.key("stats"), f"{function}:succeeded") or 0)


def warm_up(life: Life, calls: int = 300) -> None:
    before = succeeded(life)
    for _ in range(calls):
        life.submit()
    eventually(lambda: succeeded(life) == before + calls)


def test_quick_calls_are_claimed_and_settled_many_at_a_time(life: Life, redis_url: str, work: Work):
    with dramatiq_worker(redis_url, work.run, room=2):
        warm_up(life)
        life.command("HSET", life.key("queue", "default"), "paused", "1")
        for _ in range(1000):
            life.submit()
        life.command("CONFIG", "RESETSTAT")
        life.command("HSET", life.key("queue", "default"), "paused", "0")
        eventually(lambda: succeeded(life) == 1300)
        told = life.command("INFO", "commandstats").decode()

    scripts = int(told.split("cmdstat_evalsha:calls=")[1].split(",")[0])
    assert scripts < 400  # two for each call at most one at a time would be 2,000


def test_what_lies_behind_a_call_that_is_slow_for_once_goes_on_elsewhere(
    life: Life, redis_url: str, work: Work
):
    with dramatiq_worker(redis_url, work.run, room=3):
        warm_up(life)
        life.submit(arguments=b'"slow"')
        for _ in range(20):
            life.submit()

        began_at = time.monotonic()
        eventually(lambda: succeeded(life) == 320)

        assert time.monotonic() - began_at < 0.5
        assert work.held == 1
        work.go_on.set()


def test_where_every_thread_is_kept_what_was_taken_ahead_goes_back_uncounted(
    life: Life, redis_url: str, work: Work
):
    with dramatiq_worker(redis_url, work.run, room=2, name="w1"):
        warm_up(life)
        slow = [life.submit(arguments=b'"slow"') for _ in range(2)]
        quick = [life.submit() for _ in range(20)]
        eventually(lambda: work.held == 2)
        queue = life.key("queue", "default")
        eventually(lambda: life.command("HGET", queue, "waiting") == b"20")

        with dramatiq_worker(redis_url, succeed, room=2, name="w2"):
            eventually(lambda: succeeded(life) == 320)

        assert {life.read(i).attempt for i in quick} == {1}
        work.go_on.set()
        eventually(lambda: all(life.read(i).status == Status.SUCCEEDED for i in slow))


def test_an_ending_that_waits_for_company_is_written_before_its_thread_turns_to_slow_work(
    life: Life, redis_url: str, work: Work
):
    with dramatiq_worker(redis_url, work.run, room=1):
        quick = life.submit()
        life.submit(arguments=b'"slow"')

        eventually(lambda: life.read(quick).status == Status.SUCCEEDED, within_s=2)

        assert not work.go_on.is_set()
        work.go_on.set()


def test_endings_whose_answer_is_lost_are_written_once(life: Life, redis_url: str, work: Work):
    with dramatiq_worker(redis_url, work.run, room=4):
        for _ in range(40):
            ids = [life.submit() for _ in range(25)]
            life.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        eventually(lambda: life.command("ZCARD", life.key("leases")) == 0, within_s=20)
        eventually(lambda: succeeded(life) == 1000, within_s=20)

    assert {life.read(i).status for i in ids} == {Status.SUCCEEDED}


def test_a_log_that_cannot_be_written_stops_no_endings(
    life: Life, redis_url: str, work: Work, monkeypatch: pytest.MonkeyPatch
):
    failures = iter([True] * 3)

    def fail(*_: object) -> None:
        if next(failures, False):
            raise OSError("no space left on device")

    monkeypatch.setattr("runtime.broker.settler.tell_ended", fail)
    with dramatiq_worker(redis_url, work.run, room=2) as side:
        warm_up(life, calls=200)
        eventually(lambda: side.holdings.count() == 0)


def test_a_backlog_that_cannot_be_taken_ahead_is_not_asked_for_again_and_again(
    life: Life, redis_url: str, work: Work
):
    with dramatiq_worker(redis_url, work.run, room=2):
        warm_up(life)
        for _ in range(20):
            life.submit("s", arguments=b'"slow"')
        eventually(lambda: work.held == 2)
        life.command("CONFIG", "RESETSTAT")
        began_at = time.monotonic()
        eventually(lambda: time.monotonic() - began_at > 0.3)
        told = life.command("INFO", "commandstats").decode()
        work.go_on.set()
        eventually(lambda: succeeded(life, "s") == 20)

    claims = told.partition("cmdstat_evalsha:calls=")[2].partition(",")[0]
    assert int(claims or 0) < 10
