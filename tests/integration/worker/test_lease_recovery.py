"""Every worker looks after what nobody holds, a script at a time."""

from __future__ import annotations

from collections import Counter

import pytest
from structlog.testing import capture_logs

from runtime.errors import StoreError
from runtime.worker.lease_recovery import TakeOver
from tests.support.life import Life
from tests.support.waiting import eventually

INTERVAL_S = 2.0


def take_over(life: Life) -> TakeOver:
    return TakeOver(life.connection, lease_ms=10_000, interval_s=INTERVAL_S)


def go_round(job: TakeOver) -> int:
    """Take steps until it rests; return how many."""
    steps = 1
    while (rest_s := job.step()) == 0:
        steps += 1
    assert rest_s == INTERVAL_S
    return steps


def test_work_of_the_dead_and_what_waited_too_long_are_ended_a_script_at_a_time(life: Life):
    for _ in range(6):
        for _ in range(50):
            life.submit()
        assert len(life.claim(50, worker="dead", lease_ms=1).items) == 50
    late = [life.submit("g", max_age_ms=1) for _ in range(20)]
    eventually(lambda: life.now_ms() > life.read(late[-1]).created_at_ms + 1)

    with capture_logs() as logs:
        steps = go_round(take_over(life))

    events = Counter(one["event"] for one in logs)
    assert events == {"invocation_taken_over": 300, "invocation_expired": 20}
    assert life.command("ZCARD", life.key("leases")) == 0
    assert steps >= 3, "a script takes over a hundred at most"


def test_a_round_that_takes_long_goes_on_in_the_next_interval(life: Life, monkeypatch):
    monkeypatch.setattr("runtime.worker.lease_recovery._LONGEST_ROUND_S", 0.0)
    for _ in range(3):
        for _ in range(50):
            life.submit()
        assert len(life.claim(50, worker="dead", lease_ms=1).items) == 50
    job = take_over(life)

    go_round(job)
    assert life.command("ZCARD", life.key("leases")) == 50
    go_round(job)
    assert life.command("ZCARD", life.key("leases")) == 0


def test_where_a_key_is_damaged_the_next_round_begins_anew(life: Life):
    life.command("SET", life.key("expiring"), "not a sorted set")
    job = take_over(life)

    with pytest.raises(StoreError, match="WRONGTYPE"):
        job.step()
    life.command("DEL", life.key("expiring"))
    late = life.submit(max_age_ms=1)
    eventually(lambda: life.now_ms() > life.read(late).created_at_ms + 1)
    go_round(job)

    assert life.read(late).status == "expired"
