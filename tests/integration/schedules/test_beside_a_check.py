"""A schedule fires on time whatever else the same thread of its worker does."""

from __future__ import annotations

import statistics

import pytest

from runtime.store.check_commands import ask_check, read_check
from tests.support.ending import end_some
from tests.support.upkeeping import checker, keeping_up, sweeper, ticker
from tests.support.waiting import allowed, eventually


@pytest.mark.parametrize("records", [12_000, pytest.param(20_000, marks=pytest.mark.faults)])
def test_a_schedule_fires_on_time_while_many_records_are_checked(
    planner, redis_url, capsys, records: int
):
    for _ in range(records // 500):
        end_some(planner.connection, 500, ttl_ms=3_600_000)
    planner.publish("tock")
    planner.create(function="tock", cron="* * * * * *")

    def is_checked() -> bool:
        found = planner.connection.run(read_check("one"))
        return found is not None and "finished_at" in found.fields

    with keeping_up(redis_url, ticker, checker("w"), sweeper("w")):
        eventually(lambda: planner.moments("tock"))
        began = planner.now_ms()
        planner.connection.run(ask_check("one", repair=False))
        eventually(is_checked, within_s=50, every_s=0.1)
        ended = planner.now_ms()

    stored = planner.connection.run(read_check("one"))
    assert stored is not None
    assert int(stored.fields["looked_at"]) >= records
    late = [
        record.created_at_ms - record.scheduled_for_ms
        for record in planner.invocations("tock")
        if record.scheduled_for_ms and began <= record.scheduled_for_ms <= ended
    ]
    with capsys.disabled():
        print(f"\n  a check of {ended - began} ms, ticks beside it late by (ms): {late}")  # noqa: T201
    assert len(late) >= (ended - began) // 1_000 >= 2
    assert statistics.median(late) <= allowed(0.05) * 1000
    assert max(late) <= allowed(0.25) * 1000  # of this machine, which has more to do
