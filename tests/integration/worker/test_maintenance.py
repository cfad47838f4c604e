"""One thread does all upkeep of a worker: no job stops or delays another, no token is lost."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from runtime.errors import StoreRefusedError
from runtime.registry.folder_comparison import FolderComparison
from runtime.settings import Settings, read_settings
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.check_commands import ask_check, read_check
from runtime.store.schedule_commands import create_schedule
from runtime.store.scripts import Command
from runtime.telemetry.background import CRASHES
from runtime.worker.maintenance import Maintenance, MaintenanceTask
from runtime.worker.maintenance_steps import upkeep_jobs
from runtime.worker.memory_usage import MemoryUse
from tests.support.ending import end_some
from tests.support.life import Life
from tests.support.monitoring import monitored
from tests.support.redis_server import start_redis
from tests.support.redis_statistics import connections
from tests.support.upkeeping import checker, keeping_up, upkeep_of
from tests.support.waiting import allowed, eventually

# A schedule that fires on New Year's Day.
FAR: dict[str, str | bytes] = {
    "function": "f",
    "arguments": b"{}",
    "cron": "0 0 1 1 *",
    "timezone": "UTC",
    "paused": "0",
    "overlap": "1",
    "catch_up": "0",
}


class Counting:
    """A job that counts its steps, and rests or raises as it is told."""

    def __init__(self, rest_s: float = 0.0) -> None:
        self.rest_s = rest_s
        self.error: Exception | None = None
        self.steps = 0

    def step(self) -> float:
        self.steps += 1
        if self.error is not None:
            raise self.error
        return self.rest_s

    def job(self, name: str, **more: str) -> MaintenanceTask:
        return MaintenanceTask(name=name, step=self.step, **more)


@pytest.fixture(autouse=True)
def no_crashes_yet() -> Iterator[None]:
    CRASHES.take()
    yield
    CRASHES.take()


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> Settings:
    return read_settings(redis=redis_url, functions=tmp_path)


def upkeep_of_worker(settings: Settings) -> Maintenance:
    connection = BlockingConnection(settings.redis)
    jobs = upkeep_jobs(
        connection,
        settings,
        worker="w",
        memory=MemoryUse(2.0),
        onlooker=FolderComparison(connection, settings.functions, worker="w"),
        is_publishing=lambda: True,
        queues=lambda: ("default",),
        environments=None,
    )
    return Maintenance(jobs, connection=connection, waiting=BlockingConnection(settings.redis))


def check_fields(life: Life, check_id: str) -> dict[str, str]:
    found = life.connection.run(read_check(check_id))
    return found.fields if found else {}


def test_all_jobs_of_a_worker_take_one_thread_and_two_connections(life: Life, settings: Settings):
    life.connection.run(ask_check("one", repair=False))
    threads, before = set(threading.enumerate()), connections(life)
    upkeep = upkeep_of_worker(settings)
    upkeep.start()
    try:
        eventually(lambda: "finished_at" in check_fields(life, "one"))

        gained = {thread.name for thread in set(threading.enumerate()) - threads}
        assert gained == {"upkeep"}
        assert connections(life) - before == 2
    finally:
        upkeep.stop()
        upkeep.stop()
    assert set(threading.enumerate()) <= threads
    eventually(lambda: connections(life) == before)
    assert CRASHES.take() == 0


def test_the_upkeep_of_an_idle_worker_sends_fewer_than_two_commands_a_second(
    life: Life, settings: Settings
):
    window_s = 12.0
    life.connection.run(create_schedule("sch-far", FAR))
    upkeep = upkeep_of_worker(settings)
    upkeep.start()
    try:
        time.sleep(6)  # so long it looks more often, for functions of the thread lane
        with monitored(settings.redis.removeprefix("unix://")) as idling:
            time.sleep(window_s)
    finally:
        upkeep.stop()

    assert 0 < idling.seen.total() / window_s < 2, dict(idling.seen)


@pytest.mark.parametrize(
    ("error", "crashes", "event"),
    [
        (RuntimeError("of ours"), True, "background_crashed"),
        (StoreRefusedError("is full"), False, "upkeep_failed"),
    ],
)
def test_a_job_that_fails_is_told_and_tried_again_and_the_others_go_on(
    redis_url: str, monkeypatch, error: Exception, crashes: bool, event: str
):
    monkeypatch.setattr("runtime.worker.maintenance._FAILED_PAUSE_S", 0.01)
    failing, working = Counting(), Counting(0.001)
    failing.error = error

    with (
        capture_logs() as logs,
        keeping_up(redis_url, lambda _: failing.job("bad"), lambda _: working.job("good")),
    ):
        eventually(lambda: failing.steps >= 3 and working.steps >= 20)
        failing.error = None
        seen = failing.steps
        eventually(lambda: failing.steps > seen + 3)

    reported = [one for one in logs if one["event"] == event]
    assert len(reported) >= 3 if crashes else len(reported) == 1
    assert (CRASHES.take() > 0) == crashes


def test_jobs_that_always_want_more_take_turns(redis_url: str):
    greedy = [Counting() for _ in range(3)]
    makes = [
        lambda _, one=one, name=name: MaintenanceTask(
            name=name, step=one.step, is_punctual=name == "0"
        )
        for name, one in zip("012", greedy, strict=True)
    ]

    with keeping_up(redis_url, *makes):
        eventually(lambda: min(one.steps for one in greedy) >= 200)

    counts = [one.steps for one in greedy]
    assert max(counts) <= 3 * min(counts)


def test_a_punctual_job_waits_for_one_step_of_another_at_most(redis_url: str):
    late, due_at, step_s = [], 0.0, 0.02

    def punctual() -> float:
        nonlocal due_at
        now = time.monotonic()
        late.append(now - due_at)
        due_at = now + 0.05
        return 0.05

    def long() -> float:
        time.sleep(step_s)  # stands for a script's time
        return 0.0

    makes = [lambda _, at=at: MaintenanceTask(name=f"long{at}", step=long) for at in range(6)]
    last = MaintenanceTask(name="punctual", step=punctual, is_punctual=True)

    with keeping_up(redis_url, *makes, lambda _: last):
        eventually(lambda: len(late) > 20)

    assert statistics.median(late[1:]) < allowed(1.5 * step_s)


def test_a_token_calls_a_job_at_once_however_busy_the_others_are(life: Life, redis_url: str):
    called, busy = Counting(math.inf), Counting()
    key = life.key("schedules_wake")
    makes = (lambda _: called.job("called", wake_key=key), lambda _: busy.job("busy"))

    with keeping_up(redis_url, *makes):
        eventually(lambda: called.steps == 1 and busy.steps > 10)
        for step in range(2, 12):
            began = time.monotonic()
            life.command("RPUSH", key, "1")
            eventually(lambda step=step: called.steps == step, every_s=0.001)
            assert time.monotonic() - began < allowed(0.1)

    assert called.steps == 11


def test_a_token_that_comes_while_it_stops_is_left_for_others(life: Life, redis_url: str):
    key = life.key("checks_wake")
    for turn in range(40):
        seen = Counting(math.inf)
        upkeep = upkeep_of(redis_url, lambda _, seen=seen: seen.job("one", wake_key=key))
        upkeep.start()
        eventually(lambda: life.command("INFO", "clients").count(b"blocked_clients:1"))
        pushing = threading.Timer(turn / 20_000, life.command, ("RPUSH", key, "1"))

        pushing.start()
        upkeep.stop()
        pushing.join()

        assert life.command("LLEN", key) in {1, 2}
        life.command("DEL", key)


def test_stopping_is_quick_whatever_is_under_way_and_it_may_start_again(redis_url: str):
    resting = Counting(math.inf)
    upkeep = upkeep_of(redis_url, lambda _: resting.job("one", wake_key="k"))
    for turn in range(1, 4):
        upkeep.start()
        eventually(lambda turn=turn: resting.steps == turn)

        began = time.monotonic()
        upkeep.stop()
        upkeep.stop()

        assert time.monotonic() - began < allowed(0.5)


def test_jobs_and_tokens_go_on_when_redis_has_been_away(tmp_path: Path):
    server = start_redis(tmp_path)
    life, called = Life(BlockingConnection(f"unix://{tmp_path}/redis.sock")), Counting(math.inf)
    asked = []

    def ask(connection: BlockingConnection) -> MaintenanceTask:
        def step() -> float:
            asked.append(connection.run(Command(("PING",), lambda reply: reply)))
            return 0.01

        return MaintenanceTask(name="ask", step=step)

    makes = (ask, lambda _: called.job("called", wake_key=life.key("schedules_wake")))
    with keeping_up(f"unix://{tmp_path}/redis.sock", *makes), capture_logs() as logs:
        eventually(lambda: called.steps == 1 and asked)
        server.kill()
        server.wait()
        seen = len(asked)
        server = start_redis(tmp_path)

        eventually(lambda: len(asked) > seen + 3, within_s=2)
        life.command("RPUSH", life.key("schedules_wake"), "1")
        eventually(lambda: called.steps == 2, within_s=2)
    life.connection.close()
    server.terminate()
    server.wait()

    assert logs == []
    assert CRASHES.take() == 0


def test_a_check_under_way_is_left_to_another_worker_at_once(life: Life, redis_url: str):
    for _ in range(10):
        end_some(life.connection, 500, ttl_ms=3_600_000)
    life.connection.run(ask_check("one", repair=False))

    with keeping_up(redis_url, checker("w1")):
        eventually(lambda: check_fields(life, "one").get("worker") == "w1")
    assert "finished_at" not in check_fields(life, "one")

    with keeping_up(redis_url, checker("w2")):
        eventually(lambda: "finished_at" in check_fields(life, "one"), within_s=20)
    assert check_fields(life, "one")["worker"] == "w2"
