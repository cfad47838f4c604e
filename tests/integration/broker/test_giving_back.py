"""Giving attempts back: kept until Redis has taken them, each counted as it has begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.invocations.status import Status
from tests.integration.broker.settling import Settling, Words, claim, items, statuses
from tests.support.life import Life
from tests.support.loop_thread import turn_for, turn_until
from tests.support.monitoring import monitored


@pytest.mark.parametrize("is_begun", [True, False])
def test_what_is_given_back_may_run_again_at_once(
    life: Life, settling: Settling, *, is_begun: bool
):
    [attempt] = claim(life)
    attempt.is_begun = is_begun

    settling.settler.requeue(attempt)

    settling.wait_for(attempt)
    [again] = life.claim().items
    assert again.id == attempt.claimed.id
    assert again.attempt == (2 if is_begun else 1)


def test_what_is_given_back_does_not_wait_for_endings(life: Life, settling: Settling):
    ended, returned = claim(life, 2)
    life.command("CONFIG", "SET", "maxmemory", 1)  # endings wait; what is given back needs no room
    try:
        settling.settle(ended)
        turn_for(settling.loop, 0.05)
        settling.settler.requeue(returned)
        turn_for(settling.loop, 0.2)
    finally:
        life.command("CONFIG", "SET", "maxmemory", 0)

    settling.wait_for(ended, returned)


def test_what_is_given_back_while_redis_is_away_goes_back_uncounted_and_once(
    life: Life, redis_url: str, tmp_path: Path
):
    settling = Settling(f"unix://{tmp_path}/later.sock")
    attempts = claim(life, 3)
    attempts[2].is_begun, attempts[2].pending_events = True, Words(attempts[2].claimed, b"1")
    for attempt in attempts:
        settling.settler.requeue(attempt)
    turn_for(settling.loop, 0.15)
    assert settling.over == []

    (tmp_path / "later.sock").symlink_to(redis_url.removeprefix("unix://"))

    settling.wait_for(*attempts, within_s=2)

    again = life.claim(3).items
    assert [one.attempt for one in again] == [1, 1, 2]
    assert items(life, attempts[2]) == [b"1"]
    settling.close()


def test_a_settler_that_stops_leaves_what_it_cannot_give_back_to_the_lease(
    tmp_path: Path, life: Life
):
    settling = Settling(f"unix://{tmp_path}/nothing.sock")
    [attempt] = claim(life)
    settling.settler.requeue(attempt)
    turn_for(settling.loop, 0.05)
    assert settling.over == []

    settling.settler.stop()

    settling.wait_for(attempt, within_s=2)
    settling.close()


def test_many_are_given_back_in_pieces(life: Life, redis_url: str, settling: Settling):
    attempts = claim(life, 250)
    with monitored(redis_url.removeprefix("unix://")) as monitor:
        for attempt in attempts:
            settling.settler.requeue(attempt)
        settling.wait_for(*attempts)
        turn_until(settling.loop, lambda: monitor.seen["release_invocations"] >= 3)

    assert statuses(life, attempts) == {Status.QUEUED}


def test_last_words_of_what_is_given_back_are_kept(life: Life, settling: Settling):
    [attempt] = claim(life)
    attempt.is_begun = True
    attempt.pending_events = Words(attempt.claimed, b"1")

    settling.settler.requeue(attempt)

    settling.wait_for(attempt)
    assert items(life, attempt) == [b"1"]
