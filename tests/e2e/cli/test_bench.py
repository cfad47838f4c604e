"""`penstock bench`, as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.cli.errors import ExitCode
from tests.support.commands import penstock
from tests.support.system import System
from tests.support.waiting import eventually


def test_bench_tells_how_many_calls_came_back_and_how_long_they_took(system: System):
    words = ("bench", "hello", "name=Ada", "--wait", "-c", "4", "-s", "0.4")

    people = penstock(*words, "--url", system.base_url)
    machines = penstock(*words, "--json", "--url", system.base_url)

    reported = json.loads(machines.stdout)
    assert people.returncode == machines.returncode == ExitCode.OK, people.stderr
    assert "calls per second" in people.stdout
    assert reported["errors"] == 0
    assert reported["accepted"] >= reported["measured"] > 0
    assert 0 < reported["p50_ms"] <= reported["p99_ms"] <= reported["max_ms"]


def test_bench_counts_what_was_not_answered_right_and_says_so(system: System, tmp_path: Path):
    system.write("cli_once", "def cli_once(mark: str):\n    open(mark, 'x').close()\n")
    eventually(lambda: system.http.get("/functions/cli_once").status_code == 200)

    refused = penstock("bench", "cli_once", "--url", system.base_url)
    failing = penstock(
        *("bench", "cli_once", f"mark={tmp_path / 'mark'}", "--wait", "-c", "2", "-s", "0.3"),
        *("--url", system.base_url),
    )

    assert refused.returncode == ExitCode.REFUSED
    assert "/mark" in refused.stderr
    assert failing.returncode == ExitCode.FAILED
    assert "answered 502" in failing.stdout
    assert "function_failed" in failing.stdout
