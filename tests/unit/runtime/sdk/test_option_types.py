"""The types of @function: what a type checker tells an author before the file is ever loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

from runtime.sdk.option_parsing import _RETRY_PARSERS, OPTION_NAMES
from runtime.sdk.option_types import FunctionOptions, RetryOptions

ROOT = Path(__file__).parents[4]
HEAD = "from penstock import Context, Request, function\n"
RIGHT = """
@function
def bare(n: int) -> str:
    return str(n)

@function()
def called(n: int) -> str:
    return str(n)

@function(
    name="a.b", timeout="3s", retries={"retries": 3, "first": "1s", "on": [OSError]},
    queue="q", concurrency=2, per_process=20, rate="10/s", priority=3, schedule="* * * * *",
    timezone="UTC", isolation="process", memory="1GiB", max_age=60, max_waiting=5, result_ttl=1.5,
    methods=["GET"],
    cors=["https://app.example"],
    verify="github:REPO",
)
async def full(n: int, *, ctx: Context) -> str:
    return str(n)

x: str = bare(1)
y: str = called(n=1)
"""
WRONG = (
    '@function(timeotu="3s")',
    "@function(timeout=[3])",
    '@function(isolation="threads")',
    '@function(retries={"retires": 3})',
    "@function(concurrency='2')",
    "@function(per_process='20')",
    "@function(cors=[443])",
    '@function(verify=["github:REPO"])',
    "@function(3)",
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy keeps of the SDK between the tests."""
    return tmp_path_factory.mktemp("cache")


def check(tmp_path: Path, cache: Path, source: str) -> list[str]:
    """Return what mypy has to say of a function file."""
    file = tmp_path / "calls.py"
    file.write_text(HEAD + source)
    run = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--no-error-summary"),
            *("--cache-dir", str(cache), str(file)),
        ],
        capture_output=True,
        check=False,
        cwd=ROOT,
        text=True,
        timeout=110,
    )
    assert not run.stderr, run.stderr
    return [line for line in run.stdout.splitlines() if ": error:" in line]


def test_what_loads_is_right_and_the_function_keeps_its_type(tmp_path: Path, cache: Path):
    assert check(tmp_path, cache, RIGHT) == []


def test_each_wrong_option_is_an_error_at_its_line(tmp_path: Path, cache: Path):
    lines = [f"{line}\ndef f{number}() -> None: ..." for number, line in enumerate(WRONG)]
    calls = ["@function", "def g(n: int) -> str: return ''", "z: int = g(1)", "g('text')"]

    found = check(tmp_path, cache, "\n".join([*lines, *calls]))

    heads = len(HEAD.splitlines())
    for number, line in enumerate(WRONG):
        place = f"calls.py:{heads + 2 * number + 1}: error:"
        assert any(place in error for error in found), (line, found)
    after = [error for error in found if int(error.split(":")[1]) > heads + 2 * len(WRONG)]
    assert len(after) == 2, found
    assert "timeotu" in found[0]


def test_the_types_name_every_option_and_no_other():
    assert set(get_type_hints(FunctionOptions)) == set(OPTION_NAMES)
    assert set(get_type_hints(RetryOptions)) == set(_RETRY_PARSERS)
