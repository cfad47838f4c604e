"""Checkers of several workers: one of them runs each check, and another if it dies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.invocations.check_summary import CheckSummary, read_summary
from runtime.store.check_commands import ask_check, read_check, save_check, take_check
from runtime.worker.maintenance import Maintenance
from tests.support.check_scene import set_scene
from tests.support.life import Life
from tests.support.upkeeping import checker, upkeep_of
from tests.support.waiting import eventually

DAY_MS = 24 * 3_600_000


@pytest.fixture
def checkers(redis_url: str) -> Iterator[list[Maintenance]]:
    made = [upkeep_of(redis_url, checker(f"w{number}")) for number in range(3)]
    yield made
    for one in made:
        one.stop()
        one.stop()


def find_check(life: Life, check_id: str) -> CheckSummary | None:
    stored = life.connection.run(read_check(check_id))
    return None if stored is None else read_summary(stored)


def wait_for_check(life: Life, check_id: str) -> CheckSummary:
    def finished() -> CheckSummary | None:
        found = find_check(life, check_id)
        return found if found and found.state == "finished" else None

    return eventually(finished, within_s=15)


def start_all(checkers: list[Maintenance]) -> None:
    for one in checkers:
        one.start()


def test_a_check_that_is_asked_for_is_run_at_once(life: Life, checkers: list[Maintenance]):
    scene = set_scene(life)
    scene.raw("ZREM", ("leases",), scene.running)
    start_all(checkers)

    found = wait_for_check(life, life.connection.run(ask_check("one", repair=False)))
    mended = wait_for_check(life, life.connection.run(ask_check("two", repair=True)))
    clean = wait_for_check(life, life.connection.run(ask_check("three", repair=False)))

    assert found.left["missing_lease"] == 1
    assert [one.id for one in found.findings if one.kind == "missing_lease"] == [scene.running]
    assert mended.found["missing_lease"] == 1
    assert mended.left == clean.found == {}
    assert clean.looked_at > 10


def test_two_who_ask_for_the_same_get_one(life: Life, checkers: list[Maintenance]):
    first = life.connection.run(ask_check("one", repair=True))
    second = life.connection.run(ask_check("two", repair=True))
    other = life.connection.run(ask_check("three", repair=False))

    start_all(checkers)

    assert (first, second, other) == ("one", "one", "three")
    assert {wait_for_check(life, one).state for one in (first, other)} == {"finished"}


def test_one_worker_runs_one_a_day_and_the_others_none(life: Life, checkers: list[Maintenance]):
    def take(worker: str, own_id: str) -> str | None:
        return life.connection.run(take_check(worker, own_id=own_id)).id

    assert [take(f"w{number}", f"own{number}") for number in range(3)] == [None, None, None]
    life.command("HSET", life.key("checks"), "next_at", 1)

    start_all(checkers)

    def is_over() -> bool:
        next_at = int(life.command("HGET", life.key("checks"), "next_at"))
        return next_at > DAY_MS

    eventually(is_over)
    last = life.connection.run(read_check())
    assert last is not None
    assert life.command("LLEN", life.key("checks_ended")) == 1
    assert take("w9", "own9") is None


def test_what_a_dead_worker_left_is_run_by_another(life: Life, checkers: list[Maintenance]):
    life.connection.run(ask_check("one", repair=True))
    taken = life.connection.run(take_check("dead", own_id="own"))
    assert (taken.id, taken.repairs) == ("one", True)
    assert life.connection.run(take_check("other", own_id="own")).id is None
    life.command("HSET", life.key("checks"), "lease_until", 1)

    start_all(checkers)

    found = wait_for_check(life, "one")
    assert found.worker in {"w0", "w1", "w2"}
    assert found.repairs
    call = save_check("one", "dead", looked_at=1, findings=[], is_last=True)
    assert life.connection.run(call) is False
