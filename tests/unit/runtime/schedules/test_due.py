"""Which moments of a schedule are fired and which are skipped, with time as an argument."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.schedules.cron import Cron
from runtime.schedules.due import GRACE_MS, LATE_MS, MOST_AT_ONCE, MOST_CAUGHT_UP, decide

EVERY_SECOND = Cron("* * * * * *", "UTC")
EVERY_MINUTE = Cron("* * * * *", "UTC")
HOURLY = Cron("0 * * * *", "UTC")
DAY_MS = 86_400_000
T = 20_000 * DAY_MS


def test_nothing_due_only_finds_the_next():
    decision = decide(EVERY_MINUTE, since_ms=T, now_ms=T + 1, catch_up=False)

    assert (decision.fire, decision.missed) == ((), ())
    assert (decision.since_ms, decision.next_ms) == (T, T + 60_000)


def test_what_is_due_is_fired_and_the_next_one_found():
    decision = decide(EVERY_MINUTE, since_ms=T, now_ms=T + 60_000, catch_up=False)

    assert decision.fire == (T + 60_000,)
    assert (decision.since_ms, decision.next_ms) == (T + 60_000, T + 120_000)


def test_without_catching_up_only_the_last_is_fired_and_the_others_are_missed():
    decision = decide(HOURLY, since_ms=T, now_ms=T + 5 * 3_600_000 + GRACE_MS, catch_up=False)

    assert decision.fire == (T + 5 * 3_600_000,)
    assert decision.missed == tuple(T + hour * 3_600_000 for hour in range(1, 5))


def test_without_catching_up_an_old_one_is_missed_although_it_is_the_last():
    decision = decide(HOURLY, since_ms=T, now_ms=T + 3_600_000 + GRACE_MS + 1, catch_up=False)

    assert decision.fire == ()
    assert decision.missed == (T + 3_600_000,)


def test_who_is_hardly_late_misses_nothing():
    decision = decide(EVERY_SECOND, since_ms=T, now_ms=T + LATE_MS + 1_000, catch_up=False)

    assert decision.fire == (T + 1_000, T + 2_000, T + 3_000)


def test_catching_up_fires_the_last_hundred():
    decision = decide(HOURLY, since_ms=T, now_ms=T + 20 * DAY_MS, catch_up=True)

    assert len(decision.fire) == MOST_CAUGHT_UP
    assert decision.fire[-1] == T + 20 * DAY_MS
    assert len(decision.missed) == 20 * 24 - MOST_CAUGHT_UP


@pytest.mark.parametrize("catch_up", [True, False])
def test_a_very_long_absence_is_worked_off_in_bounded_steps(catch_up):
    since, following, now = T, T, T + 3_000_000
    fired, missed = [], []

    while following <= now:
        decision = decide(EVERY_SECOND, since_ms=since, now_ms=now, catch_up=catch_up)
        assert len(decision.missed) + len(decision.fire) <= MOST_AT_ONCE + MOST_CAUGHT_UP
        fired += decision.fire
        missed += decision.missed
        since, following = decision.since_ms, decision.next_ms or now + 1

    assert missed + fired == list(range(T + 1_000, now + 1, 1_000))
    assert len(fired) == (MOST_CAUGHT_UP if catch_up else 3)


def test_a_line_that_never_comes_again_has_no_next():
    impossible = Cron("0 0 */30 2 mon#2", "UTC")

    assert decide(impossible, since_ms=T, now_ms=T, catch_up=False).next_ms is None


@given(
    line=st.sampled_from(["* * * * * *", "*/7 * * * * *", "* * * * *", "0 */2 * * *"]),
    since=st.integers(T, T + DAY_MS),
    late=st.integers(0, 4_000_000),
    catch_up=st.booleans(),
)
def test_every_moment_is_fired_or_missed_exactly_once(line, since, late, catch_up):
    cron = Cron(line, "UTC")
    now = since + late

    decision = decide(cron, since_ms=since, now_ms=now, catch_up=catch_up)

    decided = [*decision.missed, *decision.fire]
    assert decided == cron.next_few(since, len(decided))
    assert decision.next_ms == cron.next_after(decision.since_ms)
    assert all(since < at <= now for at in decided)
    assert decision.since_ms == (decided[-1] if decided else since)
