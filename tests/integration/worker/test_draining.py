"""A worker that stops: what runs comes to its end or goes back, and nobody waits for the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dramatiq.middleware import Middleware

from runtime.invocations.status import Status
from runtime.store.system_commands import pause_queue
from tests.integration.worker.working import Working, statuses
from tests.support.life import Life
from tests.support.waiting import allowed, eventually

SLEEP = """
    import time
    from penstock import function

    @function(per_process={per_process})
    def slow(s: float) -> str:
        time.sleep(s)
        return "slept"
"""
Work = Callable[..., Working]


def submit_and_run(life: Life, count: int, seconds: float) -> list[str]:
    ids = [life.submit("slow", arguments=b'{"s":%g}' % seconds) for _ in range(count)]
    eventually(lambda: set(statuses(life, ids)) == {Status.RUNNING})
    return ids


def test_what_runs_comes_to_its_end_and_nothing_new_begins(life: Life, work: Work):
    working = work()
    working.write("slow", SLEEP.format(per_process=1))
    running = submit_and_run(life, 2, 0.5)
    waiting = life.submit("slow", arguments=b'{"s":0}')

    working.request_stop()
    late = life.submit("slow", arguments=b'{"s":0}')
    working.wait_until_stopped()

    assert set(statuses(life, running)) == {Status.SUCCEEDED}
    assert set(statuses(life, [waiting, late])) == {Status.QUEUED}
    assert life.command("ZCARD", life.key("leases")) == 0


@pytest.mark.parametrize("per_process", [1, 4])
def test_what_runs_on_after_its_time_goes_back(life: Life, work: Work, per_process: int):
    working = work(drain_s=1.5)  # so long that both have begun: what has not is not counted
    working.write("slow", SLEEP.format(per_process=per_process))
    running = submit_and_run(life, 2, 30)
    began_at = time.monotonic()

    working.request_stop()
    working.wait_until_stopped()

    assert 1.5 <= time.monotonic() - began_at < allowed(5)
    assert set(statuses(life, running)) == {Status.QUEUED}
    work(drain_s=0.2)
    eventually(lambda: set(statuses(life, running)) == {Status.RUNNING})
    assert {life.read(one).attempt for one in running} == {2}


def test_a_claim_that_is_on_its_way_goes_back_uncounted(life: Life, work: Work):
    working = work()
    working.write("slow", SLEEP.format(per_process=1))
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        go_on.wait(10)

    eventually(lambda: b"cmd=blpop" in life.command("CLIENT", "LIST"))
    working.worker.loop.call_soon_threadsafe(hold)
    assert held.wait(5)
    one = life.submit("slow", arguments=b'{"s":0}')  # Redis claims it for the worker at once
    assert life.read(one).status == Status.RUNNING
    working.request_stop()
    go_on.set()
    working.wait_until_stopped()

    assert life.read(one).status == Status.QUEUED
    work()
    record = eventually(lambda: (r := life.read(one)).is_finished and r)
    assert (record.status, record.attempt) == (Status.SUCCEEDED, 1)


class Blocking(Middleware):
    """Holds up the first message that it is told of."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def before_process_message(self, *_: object) -> None:
        self.begun.set()
        self.go_on.wait(10)


def test_what_middleware_holds_up_when_the_time_is_over_goes_back_unrun(
    life: Life, work: Work, tmp_path: Path
):
    blocking = Blocking()
    working = work(drain_s=0.2, middleware=[blocking])
    ran = tmp_path / "ran"
    working.write("slow", f"def slow() -> None:\n    open({str(ran)!r}, 'x').close()\n")
    one = life.submit("slow")
    assert blocking.begun.wait(5)

    working.request_stop()
    held = working.do(lambda: working.worker.in_flight.find(one))
    assert held is not None
    eventually(lambda: held.is_given_back)
    blocking.go_on.set()
    working.wait_until_stopped()

    assert life.read(one).status == Status.QUEUED
    assert not ran.exists()


def test_what_is_lost_while_middleware_holds_it_up_is_not_run(
    life: Life, work: Work, tmp_path: Path
):
    blocking = Blocking()
    working = work(middleware=[blocking], heartbeat_ms=600)
    ran = tmp_path / "ran"
    working.write("slow", f"def slow() -> None:\n    open({str(ran)!r}, 'x').close()\n")
    one = life.submit("slow")
    assert blocking.begun.wait(5)
    held = working.do(lambda: working.worker.in_flight.find(one))
    assert held is not None
    life.connection.run(pause_queue("default", is_paused=True))

    life.settle(held.claimed, "lost")
    eventually(lambda: held.is_lost)
    blocking.go_on.set()

    eventually(lambda: working.do(lambda: len(working.worker.in_flight) == 0))
    assert life.read(one).status == Status.QUEUED
    assert not ran.exists()
    life.connection.run(pause_queue("default", is_paused=False))
    eventually(lambda: life.read(one).is_finished and not len(working.worker.in_flight))
    assert ran.exists()


def test_an_idle_worker_stops_at_once_and_leaves_nothing(life: Life, work: Work):
    threads = set(threading.enumerate())
    clients = life.command("CLIENT", "LIST").count(b" addr=")
    working = work()
    working.write("slow", SLEEP.format(per_process=1))
    assert life.command("ZCARD", life.key("workers")) == 1
    began_at = time.monotonic()

    working.request_stop()
    working.wait_until_stopped()

    assert time.monotonic() - began_at < allowed(2)
    assert life.command("ZCARD", life.key("workers")) == 0
    eventually(lambda: life.command("CLIENT", "LIST").count(b" addr=") == clients)
    eventually(lambda: not {t for t in threading.enumerate() if t not in threads})


def test_a_worker_told_to_stop_before_it_runs_does_not_begin(life: Life, work: Work):
    working = work()
    working.request_stop()

    working.wait_until_stopped()

    assert life.command("ZCARD", life.key("workers")) == 0


def test_an_idle_worker_has_few_threads_and_its_loop_wakes_seldom(life: Life, work: Work):
    before = work()
    before.write("slow", SLEEP.format(per_process=1))
    before.stop()
    threads = set(threading.enumerate())
    working = work(heartbeat_ms=2_000, lease_ms=10_000, publish="never")
    one = life.submit("slow", arguments=b'{"s":0}')
    eventually(lambda: life.read(one).is_finished)

    def own() -> set[str]:
        return {thread.name for thread in threading.enumerate() if thread not in threads}

    eventually(lambda: own() == {"worker", "upkeep", "deliverer"})
    working.do(working.worker.loop.take_lag)
    began_at = time.monotonic()
    eventually(lambda: time.monotonic() > began_at + 2, every_s=0.5)
    assert working.do(working.worker.loop.take_lag).turns < 20
