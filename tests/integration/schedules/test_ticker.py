"""Real tickers on a real Redis: each moment once, on time, cheaply, whatever dies."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.schedules.due import MOST_CAUGHT_UP
from runtime.settings import read_environment
from runtime.store.schedule_commands import read_agenda
from tests.support.monitoring import monitored
from tests.support.waiting import allowed, eventually

ROOT = Path(__file__).parents[3]
PROCESS = Path(__file__).with_name("ticker_process.py")


@pytest.fixture
def start_process(redis_url: str) -> Iterator[object]:
    """Start a ticker in a process of its own; all are killed at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        environment = read_environment() | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, str(PROCESS), redis_url]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def kill_and_wait(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def test_every_second_fires_once_while_tickers_are_killed_and_restarted(planner, start_process):
    running = [start_process() for _ in range(4)]
    planner.create()
    first_due_by = planner.now_ms() // 1_000 * 1_000 + 1_000
    eventually(planner.moments, within_s=15)

    for victim in range(10):
        seen = len(planner.moments())
        kill_and_wait(running.pop(0))
        running.append(start_process())
        if victim % 2:
            eventually(lambda seen=seen: len(planner.moments()) > seen, within_s=15)
    for process in running:
        kill_and_wait(process)

    moments = planner.moments()
    whole = sorted([*moments, *(at for at, _ in planner.schedule().skips)])
    assert whole == list(range(whole[0], whole[-1] + 1, 1_000))
    assert whole[0] <= first_due_by
    assert len(moments) >= 5
    assert planner.schedule().fired == len(moments)


def test_many_tickers_fire_each_moment_once_and_on_time(planner, start_ticker, capsys):
    for _ in range(4):
        start_ticker()
    planner.create("sch-1")
    planner.create("sch-2", cron="*/2 * * * * *", function="g")
    planner.publish("g")

    eventually(lambda: len(planner.moments("f")) >= 4 and planner.moments("g"), within_s=8)

    moments = planner.moments("f")
    assert moments == list(range(moments[0], moments[-1] + 1, 1_000))
    assert all(at % 2_000 == 0 for at in planner.moments("g"))
    late = [r.created_at_ms - (r.scheduled_for_ms or 0) for r in planner.invocations("f")]
    with capsys.disabled():
        print(f"\n  ticks late by (ms): {late}")  # noqa: T201 - a measured figure
    assert min(late) >= 0
    assert statistics.median(late) <= allowed(0.1) * 1000


def test_a_new_schedule_is_noticed_by_a_ticker_that_blocks(planner, start_ticker):
    start_ticker()
    eventually(lambda: planner.command("INFO", "clients").count(b"blocked_clients:1"))

    planner.create(cron="0 0 1 1 *")

    eventually(lambda: not planner.connection.run(read_agenda(most=1)).due, within_s=1)
    planner.create("sch-2")
    eventually(planner.moments, within_s=3)


def test_an_idle_ticker_sends_less_than_half_a_command_a_second(planner, start_ticker, redis_url):
    tickers, window_s = 3, 7.0
    planner.create(cron="0 0 1 1 *")
    for _ in range(tickers):
        start_ticker()
    eventually(lambda: planner.command("INFO", "clients").count(b"blocked_clients:3"))

    with monitored(redis_url.removeprefix("unix://")) as idling:
        time.sleep(window_s)

    assert 0 < idling.seen.total() / window_s / tickers < 0.5


def test_an_absence_is_caught_up_with_up_to_a_hundred_moments(planner, start_ticker):
    planner.create(cron="* * * * *", catch_up="1")
    now = planner.now_ms()
    planner.set_since(now - 150 * 60_000)

    start_ticker()
    eventually(lambda: len(planner.moments()) >= MOST_CAUGHT_UP)

    last = now // 60_000 * 60_000
    expected = [last - back * 60_000 for back in reversed(range(MOST_CAUGHT_UP))]
    assert planner.moments()[:MOST_CAUGHT_UP] == expected
    assert planner.schedule().skipped in {49, 50}
    assert {reason for _, reason in planner.schedule().skips} == {"missed"}


def test_an_absence_is_skipped_when_the_schedule_says_so(planner, start_ticker):
    planner.create(cron="*/10 * * * *")
    now = planner.now_ms()
    planner.set_since(now - 10 * 600_000)

    start_ticker()
    eventually(lambda: planner.schedule().skipped)

    made = planner.schedule()
    assert made.skipped + made.fired == 10
    assert made.fired <= 1
    assert len(made.skips) == made.skipped


def test_without_overlap_a_second_tick_waits_for_nobody_and_is_skipped(planner, start_ticker):
    planner.create(overlap="0")
    start_ticker()

    eventually(lambda: planner.schedule().skipped >= 2)
    claimed = planner.claim_one()
    assert len(planner.moments()) == 1
    planner.settle(claimed)

    eventually(lambda: len(planner.moments()) == 2)
    assert {reason for _, reason in planner.schedule().skips} == {"overlap"}


def test_a_function_that_is_gone_and_comes_back_is_skipped_meanwhile(planner, start_ticker):
    planner.create(function="later")
    start_ticker()
    eventually(lambda: planner.schedule().skipped)

    planner.publish("later", version="v7", queue="default", priority=9)

    born = eventually(lambda: planner.invocations("later"))[0]
    assert born.version == "v7"
    assert {reason for _, reason in planner.schedule().skips} == {"unavailable"}


def test_a_function_s_own_schedule_ticks_until_it_is_withdrawn(planner, start_ticker):
    start_ticker()
    planner.publish("own", schedule="* * * * * *")
    eventually(lambda: planner.moments("own"), within_s=3)

    planner.withdraw("own")

    count = len(planner.moments("own"))
    planner.create("sch-watch", function="f")
    eventually(lambda: len(planner.moments("f")) >= 2)
    assert len(planner.moments("own")) == count


def test_one_unreadable_schedule_does_not_stop_the_others(planner, start_ticker):
    planner.create("sch-bad", timezone="Mars/Olympus")
    planner.create("sch-good")

    start_ticker()

    eventually(planner.moments, within_s=3)
    assert planner.connection.run(read_agenda(most=10)).due == ()


def test_a_ticker_survives_redis_dropping_its_connections(planner, start_ticker):
    start_ticker()
    planner.create()
    eventually(planner.moments, within_s=3)

    seen = len(planner.moments())
    planner.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    eventually(lambda: len(planner.moments()) > seen + 1)
    moments = planner.moments()
    assert moments == list(range(moments[0], moments[-1] + 1, 1_000))


def test_stopping_is_quick_twice_safe_and_gives_the_token_back(planner, start_ticker):
    ticker = start_ticker()
    eventually(lambda: planner.command("INFO", "clients").count(b"blocked_clients:1"))

    began = time.monotonic()
    ticker.stop()
    ticker.stop()

    assert time.monotonic() - began < allowed(1)
    assert planner.command("LLEN", planner.key("schedules_wake")) == 1


def test_a_stopped_ticker_starts_again(planner, start_ticker):
    ticker = start_ticker()
    ticker.stop()

    planner.create()
    ticker.start()

    eventually(planner.moments, within_s=3)
