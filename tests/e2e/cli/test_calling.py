"""Calling and following, as a person does it."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from gateway.cli.errors import ExitCode
from tests.e2e.cli.calls import COUNT, SLEEP, TWICE, published
from tests.support.commands import COMMAND, clean_environment, penstock, start
from tests.support.system import System
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def calls(system: System) -> Iterator[System]:
    with published(system, cli_count=COUNT, cli_sleep=SLEEP, cli_twice=TWICE) as running:
        yield running


def test_items_come_on_standard_output_and_log_lines_on_standard_error(calls: System):
    answer = penstock("invoke", "cli_count", "upto=2", "--wait", "--logs", "--url", calls.base_url)

    assert answer.returncode == ExitCode.OK, answer.stderr
    assert answer.stdout == '{"number": 1}\n{"number": 2}\n'
    assert answer.stderr == "counted 1\ncounted 2\n"


def test_machines_get_the_whole_invocation(calls: System):
    answer = penstock("invoke", "cli_count", "--wait", "--json", "--url", calls.base_url)

    found = json.loads(answer.stdout)
    assert found["result"] == [{"number": 1}, {"number": 2}, {"number": 3}]
    assert found["progress"]["done"] == 3


def test_a_person_sees_a_bar(calls: System):
    code, shown = on_a_terminal(
        "invoke", "cli_count", "upto=2", "pause_s=0.6", "--wait", "--logs", "--url", calls.base_url
    )

    assert code == ExitCode.OK
    for said in ("cli_count running", "at 1", "counted 2", '{"number": 2}'):
        assert said in shown


def test_an_interrupt_leaves_the_call_running_and_says_how_to_go_on(calls: System):
    command = start("invoke", "cli_sleep", "--wait", "--logs", "--url", calls.base_url)
    assert command.stderr is not None
    assert command.stderr.readline() == b"good night\n"

    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=5)

    [here] = {word for word in said.decode().split() if word.count("-") == 4}
    found = calls.invocation(here)
    ended = penstock("cancel", here, "--url", calls.base_url)
    assert command.returncode == ExitCode.INTERRUPTED
    assert f"penstock logs {here} -f --url {calls.base_url}" in said.decode()
    assert f"penstock cancel {here} --url {calls.base_url}" in said.decode()
    assert found["status"] == "running"
    assert ended.returncode == ExitCode.OK
    assert calls.finished(here, within_s=5)["status"] == "cancelled"


def test_a_later_call_is_scheduled(calls: System):
    answer = penstock(
        *("invoke", "hello", "--delay", "1h", "--priority", "9", "--tag", "a b", "--tag", "c"),
        *("--key", "one", "--max-age", "2h", "--json", "--url", calls.base_url),
    )

    found = json.loads(answer.stdout)
    assert (found["status"], found["tags"]) == ("scheduled", ["a b", "c"])
    assert penstock("cancel", found["id"], "--url", calls.base_url).returncode == ExitCode.OK


def test_the_same_idempotency_key_makes_one_call(calls: System):
    words = ("invoke", "hello", "--idempotency-key", "cli-once", "--url", calls.base_url)

    first, second = penstock(*words), penstock(*words)

    assert first.stdout == second.stdout
    assert "that call" in second.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--delay", "soon"), "?delay"),
        (("--callback", "ftp://example.com"), "callback_url_invalid"),
    ],
)
def test_wrong_options_are_named(calls: System, flags: tuple[str, ...], said: str):
    answer = penstock("invoke", "hello", *flags, "--url", calls.base_url)

    assert answer.returncode == ExitCode.REFUSED
    assert said in answer.stderr


def test_logs_show_what_was_printed(calls: System):
    here = calls.call("cli_count", upto=2, wait_s=20).json()["id"]

    people = penstock("logs", here, "--url", calls.base_url)
    followed = penstock("logs", here, "-f", "--url", calls.base_url)
    machines = penstock("logs", here, "-f", "--json", "--url", calls.base_url)

    events = [json.loads(line) for line in machines.stdout.splitlines()]
    assert people.stdout == followed.stdout == "counted 1\ncounted 2\n"
    assert [one["data"] for one in events if one["event"] == "item"] == [
        {"number": 1},
        {"number": 2},
    ]
    assert events[-1]["event"] == "end"


def test_logs_are_those_of_all_attempts_or_of_one(calls: System):
    here = calls.call("cli_twice", wait_s=20).json()["id"]

    every = penstock("logs", here, "--url", calls.base_url)
    one = penstock("logs", here, "--attempt", "2", "--url", calls.base_url)
    none = penstock("logs", here, "--attempt", "4", "--url", calls.base_url)
    both = penstock("logs", here, "--attempt", "1", "-f", "--url", calls.base_url)

    assert every.stdout == "".join(f"=== attempt {n} ===\ntry {n}\n" for n in (1, 2, 3))
    assert one.stdout == "try 2\n"
    assert (none.returncode, none.stdout) == (ExitCode.REFUSED, "")
    assert "?attempt: takes a number from 1 to 3" in none.stderr
    assert both.returncode == ExitCode.USAGE


def test_logs_come_while_it_runs_and_end_with_it(calls: System):
    here = calls.call("cli_sleep").json()["id"]
    command = start("logs", here, "-f", "--url", calls.base_url)
    assert command.stdout is not None
    first = command.stdout.readline()
    meanwhile = calls.invocation(here)["status"]

    penstock("cancel", here, "--url", calls.base_url)
    rest, said = command.communicate(timeout=10)

    assert (first, rest, meanwhile) == (b"good night\n", b"", "running")
    assert b"cli_sleep cancelled" in said
    assert command.returncode == ExitCode.OK


def test_logs_go_on_where_a_gateway_was_killed(calls: System):
    here = calls.call("cli_count", upto=5, pause_s=0.4).json()["id"]
    command = start("logs", here, "-f", "--url", calls.base_url)
    assert command.stdout is not None
    first = command.stdout.readline()

    for process in calls.parts("gateway")[0].children():
        process.kill()
    rest, said = command.communicate(timeout=20)

    assert first + rest == b"".join(b"counted %d\n" % number for number in range(1, 6))
    assert (said, command.returncode) == (b"", ExitCode.OK)


@pytest.mark.parametrize("flags", [(), ("-f",)])
def test_logs_of_what_is_not_there_are_refused(calls: System, flags: tuple[str, ...]):
    answer = penstock("logs", "no-such-id", *flags, "--url", calls.base_url)

    assert answer.returncode == ExitCode.REFUSED
    assert "invocation_not_found" in answer.stderr


def on_a_terminal(*words: str) -> tuple[int, str]:
    """Run a command on a terminal; return its exit code and all that it showed."""
    ours, its = pty.openpty()
    command = subprocess.Popen(
        [*COMMAND, *words],
        stdin=its,
        stdout=its,
        stderr=its,
        env=clean_environment() | {"TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(its)
    shown = b""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 1)[0]:
            continue
        try:
            piece = os.read(ours, 65536)
        except OSError:  # its end of the terminal is closed
            break
        shown += piece
    os.close(ours)
    code = eventually(lambda: command.poll() is not None and (command.returncode,))[0]
    return code, shown.decode(errors="replace")
