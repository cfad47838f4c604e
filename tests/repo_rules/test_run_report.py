"""What `make test` says at its end, of files made for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLAKY = """
import pathlib
def test_sound(): pass
def test_flaky():
    seen = pathlib.Path(__file__).with_name("seen")
    if not seen.exists():
        seen.touch()
        raise AssertionError("not the first time")
"""


@pytest.fixture
def run(tmp_path: Path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_chance.py").write_text(FLAKY)

    def run_pytest(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-p", "tests.support.run_report", *words]
        command += ["-c", str(tmp_path / "pytest.ini"), str(tmp_path)]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # noqa: TID251 - a child's
            capture_output=True,
            text=True,
            check=False,
        )

    return run_pytest


def test_a_run_ends_with_its_slowest_files(run):
    output = run().stdout

    assert "slowest files" in output
    assert "s  test_chance.py" in output.partition("slowest files")[2]


def test_what_passes_only_when_repeated_is_named_and_the_run_ends_red(run):
    assert run().returncode == 1

    repeated = run("--last-failed", "--repeated")

    assert repeated.returncode == 1
    named = repeated.stdout.partition("failed beside other tests, passed alone")[2]
    assert "test_chance.py::test_flaky" in named
    assert "test_sound" not in named


def test_a_run_without_a_failure_ends_green(run):
    run()

    assert run().returncode == 0
