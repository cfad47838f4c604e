"""Claiming ends, or Redis does: no call and no token is lost by it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from runtime.invocations.status import Status
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import Claim, claim
from runtime.store.scripts import Command
from tests.integration.broker.claiming import Claiming, tokens
from tests.support.failing_log import FailingLog
from tests.support.life import Life
from tests.support.loop_thread import turn_for, turn_until
from tests.support.redis_server import start_redis
from tests.support.redis_statistics import blocked
from tests.support.waiting import allowed, eventually


@pytest.mark.parametrize("queues", [["default"], ["default", "other"]])
def test_stopping_ends_a_wait_at_once(life: Life, claiming: Claiming, queues: list[str]):
    claiming.claimer.serve(queues)
    claiming.park(life)
    stopped: list[float] = []
    began_at = time.monotonic()

    claiming.claimer.stop(lambda: stopped.append(time.monotonic()))
    turn_until(claiming.loop, lambda: stopped)

    assert stopped[0] - began_at < allowed(1)
    one = life.submit()
    claiming.claimer.look(has_more_room=True)
    turn_for(claiming.loop, 0.05)
    assert life.read(one).status == Status.QUEUED


@pytest.mark.parametrize("is_open", [True, False])
def test_stopping_as_soon_as_it_has_begun_waits_for_nothing(life, claiming, *, is_open: bool):
    if is_open:
        claiming.claimer.serve(["default"])
        claiming.park(life)
        claiming.wait_for(life.submit())
    else:
        claiming.claimer.serve(["default"])
    stopped: list[bool] = []

    claiming.claimer.stop(lambda: stopped.append(True))

    turn_until(claiming.loop, lambda: stopped, within_s=1)
    claiming.claimer.close()
    eventually(lambda: blocked(life) == 0)


def test_what_was_claimed_when_it_stops_still_comes_and_comes_first(life: Life, claiming: Claiming):
    claiming.claimer.serve(["default"])
    claiming.park(life)
    one = life.submit()
    assert life.read(one).status == Status.RUNNING, "Redis has run the claim"
    at_end: list[list[str]] = []

    claiming.claimer.stop(lambda: at_end.append(claiming.ids))

    turn_until(claiming.loop, lambda: at_end)
    assert at_end == [[one]]


def test_a_token_that_came_when_it_stops_is_passed_on(life: Life, claiming: Claiming):
    claiming.claimer.serve(["default", "other"])
    claiming.park(life)
    life.submit(queue="other")
    assert tokens(life, "other") == 0, "Redis has given it away"
    stopped: list[bool] = []

    claiming.claimer.stop(lambda: stopped.append(True))

    turn_until(claiming.loop, lambda: stopped)
    turn_until(claiming.loop, lambda: tokens(life, "other") == 1)
    assert claiming.taken == []


def test_who_is_woken_and_has_no_room_left_passes_the_token_on(life: Life, claiming: Claiming):
    claiming.claimer.serve(["default", "other"])
    claiming.park(life)
    claiming.capacity = 0

    one = life.submit(queue="other")

    turn_until(claiming.loop, lambda: not blocked(life))
    turn_until(claiming.loop, lambda: tokens(life, "other") == 1)
    claiming.capacity = 1
    claiming.end(0)
    claiming.wait_for(one, within_s=1)


def test_who_stops_while_the_claim_that_a_token_asks_for_is_under_way_passes_it_on(
    life: Life, claiming: Claiming, monkeypatch: pytest.MonkeyPatch
):
    claiming.claimer.serve(["default", "other"])
    claiming.park(life)
    claims: list[str] = []

    def watched(**named: Any) -> Command[Claim]:
        claims.append(named["queue"])
        return claim(**named)

    monkeypatch.setattr("runtime.broker.claimer.claim", watched)
    life.submit(queue="other")
    turn_until(claiming.loop, lambda: claims)
    assert tokens(life, "other") == 0

    claiming.claimer.stop(lambda: None)

    turn_until(claiming.loop, lambda: tokens(life, "other") == 1)


def test_when_redis_goes_away_and_comes_back_claiming_goes_on(tmp_path: Path):
    server = start_redis(tmp_path)
    url = f"unix://{tmp_path}/redis.sock"
    claiming = Claiming(url)
    connection = BlockingConnection(url)
    life = Life(connection)
    try:
        with capture_logs() as logs:
            claiming.claimer.serve(["default", "other"])
            claiming.park(life)
            server.kill()
            server.wait()
            turn_until(claiming.loop, lambda: "store_is_away" in [each["event"] for each in logs])
            turn_for(claiming.loop, 0.6)  # it tries again meanwhile, and says so once
            server = start_redis(tmp_path)
            connection.close()
            one = life.submit(queue="other")

            claiming.wait_for(one)
            turn_until(claiming.loop, lambda: "store_is_back" in [each["event"] for each in logs])

        reported = [entry["event"] for entry in logs]
        assert reported.count("store_is_away") == 1
        assert reported.count("store_is_back") == 1
    finally:
        server.kill()
        server.wait()
        claiming.claimer.close()
        claiming.loop.close()
        connection.close()


def test_a_connection_that_breaks_loses_no_work(life: Life, claiming: Claiming):
    claiming.claimer.serve(["default"])
    for _ in range(5):
        claiming.park(life)
        life.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        claiming.wait_for(life.submit(), within_s=2)


def test_what_nobody_can_read_is_set_aside_and_the_rest_goes_on(life: Life, claiming: Claiming):
    broken, sound = life.submit(), life.submit()
    life.command("HSET", life.key("record", broken), "created_at", "x")

    claiming.claimer.serve(["default"])

    claiming.wait_for(sound)
    turn_until(claiming.loop, lambda: life.command("ZCARD", life.key("leases")) == 1)
    assert claiming.ids == [sound]


def test_claiming_goes_on_although_the_log_takes_no_line(
    life: Life, claiming: Claiming, monkeypatch: pytest.MonkeyPatch
):
    log = FailingLog()
    monkeypatch.setattr("runtime.broker.claimer._log", log)
    claiming.claimer.serve(["default"])
    claiming.park(life)
    life.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    turn_until(claiming.loop, lambda: log.lines)

    claiming.wait_for(life.submit(), within_s=2)
    claiming.wait_for(life.submit(), within_s=2)

    assert log.lines == 2, "away, and back"
