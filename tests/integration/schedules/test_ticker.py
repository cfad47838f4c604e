"""Real tickers on a real Redis: each moment once and on time, whatever was missed."""

from __future__ import annotations

import statistics

from runtime.schedules.due import MOST_CAUGHT_UP
from runtime.store.schedule_commands import read_agenda
from tests.support.waiting import allowed, eventually


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
