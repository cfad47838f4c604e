"""Writing endings: in groups, one after the other, kept until Redis has taken them."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.invocations.status import Status
from runtime.store.blocking_connection import BlockingConnection
from tests.integration.broker.settling import Settling, Words, claim, items, statuses
from tests.support.failing_log import FailingLog
from tests.support.life import Life
from tests.support.loop_thread import turn_for, turn_until
from tests.support.monitoring import monitored
from tests.support.redis_server import start_redis


def test_an_ending_is_written_at_the_end_of_the_turn(life: Life, settling: Settling):
    [attempt] = claim(life)

    settling.settle(attempt, b"[1]")

    settling.wait_for(attempt)
    record = life.read(attempt.claimed.id)
    assert (record.status, record.result) == (Status.SUCCEEDED, b"[1]")


def test_one_writing_is_under_way_at_a_time_and_takes_all_that_came(
    life: Life, redis_url: str, settling: Settling
):
    attempts = claim(life, 41)
    with monitored(redis_url.removeprefix("unix://")) as monitor:
        settling.settle(attempts[0])
        settling.loop.turn(0)
        settling.loop.turn(0)  # it is on its way, or nothing is yet
        for attempt in attempts[1:]:
            settling.settle(attempt)
        settling.wait_for(*attempts)

    assert monitor.seen["settle_invocations"] <= 3
    assert statuses(life, attempts) == {Status.SUCCEEDED}


def test_what_ends_while_others_are_let_go_is_written_too(life: Life, settling: Settling):
    first, second = claim(life, 2)
    settling.on_over = lambda: settling.settle(second) if settling.over == [first] else None

    settling.settle(first)

    settling.wait_for(first, second)
    assert statuses(life, [first, second]) == {Status.SUCCEEDED}


@pytest.mark.parametrize(
    ("count", "size", "pieces"),
    [(200, 10, 4), (10, 3_000_000, 10), (10, 2_000_000, 5)],
    ids=["64 at most", "one at least", "4 MiB at most"],
)
def test_many_and_large_ones_are_written_in_pieces(
    life: Life, settling: Settling, count: int, size: int, pieces: int
):
    attempts = claim(life, count + 1)
    settling.settle(attempts[0])  # Redis knows the script then
    settling.wait_for(attempts[0])
    life.command("CONFIG", "RESETSTAT")
    for attempt in attempts[1:]:
        settling.settle(attempt, b'"' + b"x" * size + b'"')
    settling.wait_for(*attempts)

    reported = life.command("INFO", "commandstats").decode()
    assert f"cmdstat_evalsha:calls={pieces}," in reported
    assert statuses(life, attempts) == {Status.SUCCEEDED}
    assert len(life.read(attempts[-1].claimed.id).result) == size + 2


def test_while_redis_is_away_endings_are_kept_and_then_written_once(tmp_path: Path):
    folder = tmp_path
    server = start_redis(folder, "--appendonly", "yes", "--appendfsync", "always")
    url = f"unix://{folder}/redis.sock"
    connection, settling = BlockingConnection(url), Settling(url)
    life = Life(connection)
    try:
        attempts = claim(life, 3)
        settling.settle(attempts[0])
        settling.wait_for(attempts[0])
        server.kill()
        server.wait()
        settling.settle(attempts[1])
        turn_for(settling.loop, 0.3)
        settling.settle(attempts[2])
        turn_for(settling.loop, 0.2)
        assert settling.over == attempts[:1]
        connection.close()
        server = start_redis(folder, "--appendonly", "yes", "--appendfsync", "always")

        settling.wait_for(*attempts, within_s=3)

        assert statuses(life, attempts) == {Status.SUCCEEDED}
        assert life.command("HGET", life.key("stats"), "f:succeeded") == b"3"
        assert len(settling.over) == 3
    finally:
        server.kill()
        server.wait()
        settling.close()
        connection.close()


def test_an_ending_whose_answer_is_lost_is_counted_once(life: Life, settling: Settling):
    for _ in range(10):
        [attempt] = claim(life)
        settling.settle(attempt)
        turn_until(
            settling.loop, lambda one=attempt: life.read(one.claimed.id).status != Status.RUNNING
        )
        life.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        settling.wait_for(attempt)

    assert life.command("HGET", life.key("stats"), "f:succeeded") == b"10"


def test_a_full_redis_is_waited_for(life: Life, settling: Settling):
    [attempt] = claim(life)
    life.command("CONFIG", "SET", "maxmemory", 1)
    try:
        settling.settle(attempt)
        turn_for(settling.loop, 0.3)
        assert settling.over == []
    finally:
        life.command("CONFIG", "SET", "maxmemory", 0)

    settling.wait_for(attempt, within_s=2)

    assert statuses(life, [attempt]) == {Status.SUCCEEDED}


def test_what_redis_cannot_make_sense_of_is_let_go_and_the_others_are_written(
    life: Life, settling: Settling
):
    broken, sound = claim(life, 2)
    life.command("SET", life.key("stats"), "no hash")
    settling.settle(broken)
    settling.wait_for(broken)
    life.command("DEL", life.key("stats"))

    settling.settle(sound)
    settling.wait_for(sound)

    assert statuses(life, [sound]) == {Status.SUCCEEDED}


def test_a_late_ending_is_refused_and_let_go(life: Life, settling: Settling):
    [attempt] = claim(life)
    life.settle(attempt.claimed, "lost")
    [again] = life.claim().items

    settling.settle(attempt, b'"late"')

    settling.wait_for(attempt)
    assert life.read(attempt.claimed.id).status == Status.RUNNING
    life.settle(again, result=b'"in time"')
    assert life.read(attempt.claimed.id).result == b'"in time"'


@pytest.mark.parametrize(
    ("status", "is_final"),
    [("succeeded", True), ("failed", True), ("cancelled", True), ("retrying", False)],
)
def test_last_words_are_written_before_the_ending(
    life: Life, settling: Settling, status: str, *, is_final: bool
):
    attempts = claim(life, 3)
    words = [Words(attempt.claimed, b"1", b"2") for attempt in attempts]
    for attempt, pending_events in zip(attempts, words, strict=True):
        attempt.pending_events = pending_events
        settling.settle(attempt, status=status)

    settling.wait_for(*attempts)

    assert [items(life, attempt) for attempt in attempts] == [[b"1", b"2"]] * 3
    assert [pending_events.asked for pending_events in words] == [[is_final]] * 3


def test_a_settler_that_stops_gives_up_on_a_redis_that_is_away(tmp_path: Path, life: Life):
    settling = Settling(f"unix://{tmp_path}/nothing.sock")
    [attempt] = claim(life)
    settling.settle(attempt)
    turn_for(settling.loop, 0.05)
    assert settling.over == []

    settling.settler.stop()

    settling.wait_for(attempt, within_s=2)
    settling.close()


def test_an_ending_is_written_although_the_log_takes_no_line(
    life: Life, settling: Settling, monkeypatch: pytest.MonkeyPatch
):
    log = FailingLog()
    monkeypatch.setattr("runtime.broker.settler._log", log)
    attempts = claim(life, 2)
    life.command("CONFIG", "SET", "maxmemory", 1)
    try:
        settling.settle(attempts[0])
        turn_until(settling.loop, lambda: log.lines)
    finally:
        life.command("CONFIG", "SET", "maxmemory", 0)
    settling.settle(attempts[1])

    settling.wait_for(*attempts, within_s=2)

    assert statuses(life, attempts) == {Status.SUCCEEDED}
