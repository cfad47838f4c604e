"""`make lint`, as tests: style, format, types and the direction of imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "command", ["ruff check .", "ruff format --check .", "mypy", "lint-imports"]
)
def test_the_check_is_content(command: str):
    program, *words = command.split()

    answer = subprocess.run(
        [Path(sys.executable).with_name(program), *words],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
