"""`penstock schedules`, as a person types it."""

from __future__ import annotations

import json

import pytest

from gateway.cli.errors import ExitCode
from tests.support.commands import penstock
from tests.support.system import System


def run_schedules(system: System, *words: str):
    return penstock("schedules", *words, "--url", system.base_url)


@pytest.fixture
def made(system: System):
    """A schedule that a test may do anything with."""
    answer = run_schedules(system, "create", "hello", "0 9 * * mon-fri", "name=Ada")
    assert answer.returncode == ExitCode.OK, answer.stderr
    yield answer.stdout.strip()
    run_schedules(system, "rm", answer.stdout.strip())


def test_creating_prints_the_id_and_tells_when_it_comes(system: System):
    answer = run_schedules(
        *(system, "create", "hello", "30 0 9 * * *", "name=Ada", "--timezone", "Asia/Tokyo"),
        *("--no-overlap", "--catch-up", "--json"),
    )

    made = json.loads(answer.stdout)
    assert (made["arguments"], made["timezone"]) == ({"name": "Ada"}, "Asia/Tokyo")
    assert (made["overlap"], made["catch_up"], made["paused"]) == (False, True, False)
    assert made["next"][0].endswith("T00:00:30.000Z")
    assert run_schedules(system, "rm", made["id"]).stdout == f"{made['id']} removed\n"


def test_listing_shows_them(system: System, made: str):
    people = run_schedules(system)
    machines = run_schedules(system, "ls", "--json")

    assert made in people.stdout
    assert "0 9 * * mon-fri" in people.stdout
    assert made in {item["id"] for item in json.loads(machines.stdout)["items"]}


def test_pausing_resuming_and_firing(system: System, made: str):
    assert run_schedules(system, "pause", made).stdout == f"{made} paused\n"
    assert "paused" in run_schedules(system).stdout
    assert (
        json.loads(run_schedules(system, "resume", made, "--json").stdout)["items"][0]["paused"]
        is False
    )

    fired = run_schedules(system, "fire", made)

    assert system.finished(fired.stdout.strip())["result"] == "Hello, Ada!"


def test_what_is_refused_is_told_and_the_rest_is_done(system: System, made: str):
    answer = run_schedules(system, "pause", "nothing", made)

    assert answer.returncode == ExitCode.REFUSED
    assert "nothing: " in answer.stderr
    assert answer.stdout == f"{made} paused\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("hello", "61 * * * *"), "/cron: minute field '61'"),
        (("nobody", "* * * * *"), "function_not_found"),
    ],
)
def test_wrong_words_are_refused_with_what_is_taken(system: System, words, says):
    answer = run_schedules(system, "create", *words)

    assert answer.returncode == ExitCode.REFUSED
    assert says in answer.stderr
