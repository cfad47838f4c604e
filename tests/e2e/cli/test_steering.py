"""Looking back and steering, as a person does it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from gateway.cli.errors import ExitCode
from tests.e2e.cli.calls import ODD, SLEEP, published
from tests.support.commands import penstock
from tests.support.receiver import receiving
from tests.support.system import System
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def calls(system: System) -> Iterator[System]:
    with published(system, cli_odd=ODD, cli_sleep=SLEEP) as running:
        yield running


def test_what_can_be_cancelled_is_and_the_rest_is_told(calls: System):
    runs = calls.call("cli_sleep").json()["id"]
    done = calls.call("hello", wait_s=20).json()["id"]

    answer = penstock("cancel", done, runs, "no-such-id", "--url", calls.base_url)

    assert answer.returncode == ExitCode.REFUSED
    assert done in answer.stderr
    assert "no-such-id: " in answer.stderr
    assert runs in answer.stdout
    assert calls.finished(runs, within_s=5)["status"] == "cancelled"


def test_one_call_is_made_again(calls: System):
    failed = failing_call(calls)

    answer = penstock("retry", failed, "--url", calls.base_url)

    again = calls.finished(answer.stdout.strip())
    assert (again["retry_of"], again["arguments"]) == (failed, {"number": 2})
    assert f"retry of {failed}" in answer.stderr


def test_all_that_failed_are_made_again_when_confirmed(calls: System):
    failing_call(calls)
    words = ("retry", "--function", "cli_odd", "--status", "failed", "--url", calls.base_url)

    asked = penstock(*words)
    reported = penstock(*words, "--yes")

    assert asked.returncode == ExitCode.USAGE
    assert "again? There is no terminal" in asked.stderr
    assert reported.returncode == ExitCode.OK, reported.stderr
    assert "invoked again" in reported.stdout


def test_all_that_waits_with_a_tag_is_cancelled_when_confirmed(calls: System):
    for number in range(3):
        calls.http.post("/functions/cli_odd?delay=1h&tag=cli-sweep", json={"number": number})
    words = ("cancel", "--function", "cli_odd", "--tag", "cli-sweep", "--url", calls.base_url)

    asked = penstock(*words)
    reported = penstock(*words, "--yes")

    assert asked.returncode == ExitCode.USAGE
    assert "Cancel 3 invocations? There is no terminal" in asked.stderr
    assert reported.stdout == "3 cancelled\n"


@pytest.mark.parametrize("words", [("an-id", "--status", "queued"), ("--tag", "x")])
def test_what_to_cancel_is_said_in_one_way(words: tuple[str, ...]):
    answer = penstock("cancel", *words)

    assert answer.returncode == ExitCode.USAGE
    assert "either ids, or --batch" in answer.stderr


@pytest.mark.parametrize("words", [(), ("an-id", "--status", "failed")])
def test_what_to_retry_is_said_in_one_way(words: tuple[str, ...]):
    answer = penstock("retry", *words)

    assert answer.returncode == ExitCode.USAGE
    assert "either ids, or --batch" in answer.stderr


def test_invocations_are_found_by_tag_function_and_status(calls: System):
    address = ("--url", calls.base_url)
    failed = penstock(
        "invoke", "cli_odd", "number=2", "--tag", "cli found", *address
    ).stdout.strip()
    calls.finished(failed)
    penstock("invoke", "cli_odd", "number=3", *address)

    people = penstock("invocations", "--tag", "cli found", *address)
    ids = penstock("invocations", "--function", "cli_odd", "--status", "failed", "--ids", *address)
    machines = penstock("invocations", "--limit", "1", "--json", *address)

    assert "ValueError: 2 is even" in people.stdout
    assert people.stdout.count("cli_odd") == 1
    assert failed in ids.stdout.splitlines()
    assert len(json.loads(machines.stdout)["items"]) == 1


def test_a_queue_is_paused_emptied_and_resumed(calls: System):
    address = ("--url", calls.base_url)
    calls.call("cli_odd", number=1, wait_s=20)

    paused = penstock("queues", "pause", "cli_odd", *address)
    held = [calls.call("cli_odd", number=number).json()["id"] for number in (1, 3)]
    listed = {
        q["name"]: q for q in json.loads(penstock("queues", "--json", *address).stdout)["items"]
    }
    seen = penstock("queues", *address)
    asked = penstock("queues", "purge", "cli_odd", *address)
    purged = penstock("queues", "purge", "cli_odd", "--yes", *address)
    resumed = penstock("queues", "resume", "cli_odd", *address)

    assert paused.stdout == "cli_odd is paused; 0 waiting\n"
    assert (listed["cli_odd"]["paused"], listed["cli_odd"]["depth"]) == (True, 2)
    assert "paused" in seen.stdout
    assert "Cancel 2 waiting invocations in cli_odd?" in asked.stderr
    assert purged.stdout == "2 cancelled\n"
    assert {calls.invocation(one)["status"] for one in held} == {"cancelled"}
    assert resumed.stdout == "cli_odd is running; 0 waiting\n"
    assert calls.call("cli_odd", number=1, wait_s=20).status_code == 200


def test_an_unknown_queue_is_refused_with_those_there_are(calls: System):
    answer = penstock("queues", "purge", "no_such_queue", "--url", calls.base_url)

    assert answer.returncode == ExitCode.REFUSED
    assert "default" in answer.stderr


def test_a_callback_is_found_and_sent_again(calls: System):
    address = ("--url", calls.base_url)
    with receiving() as receiver:
        here = penstock(
            "invoke", "hello", "--callback", receiver.url("/ok"), *address
        ).stdout.strip()
        eventually(lambda: receiver.at("/ok"))
        eventually(lambda: calls.invocation(here)["callback"]["status"] == "delivered")
        delivery = calls.invocation(here)["callback"]["delivery"]

        listed = penstock("deliveries", "--status", "delivered", *address)
        again = penstock("deliveries", "redeliver", delivery, *address)
        eventually(lambda: len(receiver.at("/ok")) == 2)
        eventually(lambda: calls.invocation(here)["callback"]["attempts"] == 2)
        shown = penstock("deliveries", "show", delivery, *address)

    assert delivery in listed.stdout
    # It may have been sent again before the answer was written.
    assert again.stdout in {f"{delivery} pending\n", f"{delivery} delivered\n"}
    attempts = [line for line in shown.stdout.splitlines() if line.split()[:1] in (["1"], ["2"])]
    assert [" 200 " in f"{line} " for line in attempts] == [True, True]


def test_status_shows_queues_workers_and_functions(calls: System):
    people = penstock("status", "--url", calls.base_url)
    machines = json.loads(penstock("status", "--url", calls.base_url, "--json").stdout)

    assert people.returncode == ExitCode.OK
    assert "cli_odd" in people.stdout
    assert re.search(r"in flight .*\n.*\d of 1,000 ", people.stdout, re.DOTALL)
    assert {worker["pid"] for worker in machines["workers"]} == {
        process.pid for process in calls.parts("worker")
    }
    assert "default" in {queue["name"] for queue in machines["queues"]}


def failing_call(calls: System) -> str:
    """Return the id of a call that has failed."""
    answer = calls.call("cli_odd", number=2, wait_s=20)
    assert answer.status_code == 502
    return str(answer.json()["invocation"]["id"])
