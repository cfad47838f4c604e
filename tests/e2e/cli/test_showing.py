"""`penstock show`, and what `logs` says of a call that printed nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version

import pytest

from tests.e2e.cli.calls import published
from tests.support.commands import penstock, start
from tests.support.system import System
from tests.support.waiting import eventually

QUIET = '''
import time
from penstock import Context, Request, function

@function()
def quiet(number: int, pause_s: float = 0) -> int:
    """Print nothing."""
    time.sleep(pause_s)
    return 10 // number

@function(retries={"retries": 1, "first": "1ms"})
def twice(*, ctx: Context) -> None:
    """Fail twice."""
    ctx.progress(1, 2, "half")
    raise LookupError(f"attempt {ctx.attempt}")

@function()
def hook(request: Request) -> int:
    """Take a webhook."""
    return len(request.body)
'''


@pytest.fixture(scope="module")
def calls(system: System) -> Iterator[System]:
    with published(system, quiet=QUIET) as running:
        eventually(lambda: running.http.get("/functions/hook").status_code == 200)
        yield running


def test_a_failed_call_is_shown_with_its_error_and_traceback(calls: System):
    failed = calls.call("quiet", wait_s=10, number=0).json()["invocation"]

    run = penstock("show", failed["id"], "--url", calls.base_url)

    assert run.returncode == 1
    for word in (failed["id"], "quiet", "failed", "ZeroDivisionError", "return 10 // number"):
        assert word in run.stdout
    assert '{"number": 0}' in run.stdout


def test_logs_of_a_failed_call_that_printed_nothing_says_so_and_where_to_look(calls: System):
    failed = calls.call("quiet", wait_s=10, number=0).json()["invocation"]

    run = penstock("logs", failed["id"], "--url", calls.base_url)

    assert (run.returncode, run.stdout) == (0, "")
    assert "nothing was printed, and it failed" in run.stderr
    assert f"penstock show {failed['id']}" in run.stderr


def test_every_attempt_and_the_progress_are_shown(calls: System):
    failed = calls.call("twice", wait_s=20).json()["invocation"]

    run = penstock("show", failed["id"], "--url", calls.base_url)

    assert "1: " in run.stdout
    assert "LookupError: attempt 1" in run.stdout
    assert "LookupError: attempt 2" in run.stdout
    assert "half" in run.stdout


def test_wait_waits_for_the_end_and_json_is_the_invocation(calls: System):
    accepted = calls.call("quiet", number=5, pause_s=1).json()

    showing = start("show", accepted["id"], "--wait", "--json", "--url", calls.base_url)
    reported, _ = showing.communicate(timeout=30)

    assert showing.returncode == 0
    shown = json.loads(reported)
    assert (shown["status"], shown["result"]) == ("succeeded", 2)


def test_the_request_of_a_function_that_takes_one_is_shown(calls: System):
    taken = calls.http.post(
        "/functions/hook?page=2", content=b"\xff" * 1234, headers={"Prefer": "wait=10"}
    ).json()

    run = penstock("show", taken["id"], "--url", calls.base_url)

    assert "POST /functions/hook?page=2, 1,234 bytes" in run.stdout


def test_an_unknown_id_is_refused_in_a_sentence(calls: System):
    run = penstock("show", "no-such-id", "--url", calls.base_url)

    assert run.returncode == 4
    assert "invocation_not_found" in run.stderr


def test_the_version_is_that_of_the_package():
    assert penstock("--version").stdout == f"penstock {version('penstock')}\n"
