"""A call for every row of a file."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.errors import ExitCode
from tests.e2e.cli.calls import ODD, published
from tests.support.commands import penstock, start
from tests.support.system import System


@pytest.fixture(scope="module")
def calls(system: System) -> Iterator[System]:
    with published(system, cli_odd=ODD) as running:
        yield running


def test_rows_that_fail_are_named_with_their_lines(calls: System, tmp_path: Path):
    file = tmp_path / "numbers.csv"
    file.write_text("number\n" + "".join(f"{n}\n" for n in (1, 3, 4, 5, 6)))

    answer = penstock("batch", "cli_odd", file, "--wait", "--url", calls.base_url)

    assert answer.returncode == ExitCode.FAILED
    assert "5 calls: 3 succeeded, 2 failed" in answer.stderr
    first, second = [line for line in answer.stderr.splitlines() if line.startswith("line ")]
    assert first.startswith("line 4 ")
    assert first.endswith("failed  ValueError: 4 is even")
    assert second.startswith("line 6 ")
    assert "penstock retry --batch " in answer.stderr


def test_a_batch_is_looked_at_and_what_failed_of_it_retried_once(calls: System):
    address = ("--url", calls.base_url)
    made = penstock("batch", "cli_odd", "-", "--wait", *address, given="number\n1\n2\n4\n")
    batch = made.stdout.strip()

    failed = penstock("invocations", "--batch", batch, "--status", "failed", "--json", *address)
    both = ("--status", "failed,cancelled", "--status", "expired")
    several = penstock("invocations", "--batch", batch, *both, "--json", *address)
    listed = penstock("invocations", "--function", "cli_odd", *both, "--json", *address)
    retried = penstock("retry", "--batch", batch, "--yes", *address)
    again = penstock("retry", "--batch", batch, "--yes", "--json", *address)
    ended = penstock("cancel", "--batch", batch, *address)

    items = json.loads(failed.stdout)["items"]
    assert [item["arguments"]["number"] for item in items] == [2, 4]
    assert json.loads(several.stdout)["items"] == items
    assert [item for item in json.loads(listed.stdout)["items"] if item["batch"] == batch] == (
        items[::-1]
    )
    assert retried.stdout == "2 invoked again\n"
    assert json.loads(again.stdout)["count"] == 0
    assert ended.returncode == ExitCode.REFUSED
    assert "batch_finished" in ended.stderr


def test_a_batch_that_waits_is_cancelled(calls: System):
    address = ("--url", calls.base_url)
    made = penstock("batch", "cli_odd", "-", "--delay", "1h", *address, given="number\n1\n3\n")

    ended = penstock("cancel", "--batch", made.stdout.strip(), *address)

    assert "2 scheduled" in made.stderr
    assert ended.stdout == "2 cancelled\n"


def test_a_batch_may_come_by_standard_input(calls: System):
    lines = '{"number": 1}\n{"number": 3}\n'

    answer = penstock(
        *("batch", "cli_odd", "-", "--wait", "--json", "--tag", "cli batch"),
        *("--url", calls.base_url),
        given=lines,
    )

    [batch] = json.loads(answer.stdout)["items"]
    tagged = calls.http.get("/invocations", params={"tag": "cli batch"}).json()["items"]
    assert answer.returncode == ExitCode.OK, answer.stderr
    assert (batch["size"], batch["counts"]["succeeded"]) == (2, 2)
    assert {item["batch"] for item in tagged} == {batch["id"]}


def test_an_interrupt_leaves_the_batch_running_and_says_how_to_go_on(calls: System, tmp_path: Path):
    file = tmp_path / "later.csv"
    file.write_text("number\n1\n3\n")
    command = start(*("batch", "cli_odd", file, "--delay", "1h", "--wait", "--url", calls.base_url))
    assert command.stdout is not None
    batch = command.stdout.readline().decode().strip()

    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=5)

    ended = penstock("cancel", "--batch", batch, "--url", calls.base_url)
    assert command.returncode == ExitCode.INTERRUPTED
    assert "2 of 2 calls were accepted and go on" in said.decode()
    assert f"penstock cancel --batch {batch} --url {calls.base_url}" in said.decode()
    assert ended.stdout == "2 cancelled\n"


def test_a_row_that_does_not_fit_is_named_and_nothing_is_sent(calls: System, tmp_path: Path):
    file = tmp_path / "numbers.json"
    file.write_text('[{"number": 1}, {"number": "many"}]')
    before = calls.http.get("/invocations", params={"function": "cli_odd"}).json()["items"]

    answer = penstock("batch", "cli_odd", file, "--url", calls.base_url)

    after = calls.http.get("/invocations", params={"function": "cli_odd"}).json()["items"]
    assert answer.returncode == ExitCode.REFUSED
    assert "item 2/number: " in answer.stderr
    assert [item["id"] for item in after] == [item["id"] for item in before]


def test_a_file_that_cannot_be_read_is_told(calls: System, tmp_path: Path):
    empty = tmp_path / "empty.ndjson"
    empty.write_text("\n")

    missing = penstock("batch", "cli_odd", tmp_path / "none.csv", "--url", calls.base_url)
    without = penstock("batch", "cli_odd", empty, "--url", calls.base_url)

    assert missing.returncode == without.returncode == ExitCode.USAGE
    assert "cannot read" in missing.stderr
    assert "has no rows" in without.stderr


def test_a_long_file_is_several_batches(calls: System, tmp_path: Path):
    file = tmp_path / "long.ndjson"
    file.write_text("".join(f'{{"number": {n}}}\n' for n in range(10_001)))
    address = ("--url", calls.base_url)
    penstock("queues", "pause", "cli_odd", *address)

    try:
        answer = penstock("batch", "cli_odd", file, "--json", *address)
    finally:
        purged = penstock("queues", "purge", "cli_odd", "--yes", *address)
        penstock("queues", "resume", "cli_odd", *address)

    assert answer.returncode == ExitCode.OK, answer.stderr
    assert [one["size"] for one in json.loads(answer.stdout)["items"]] == [10_000, 1]
    assert purged.stdout == "10,001 cancelled\n"
