"""One running system for all tests that leave it as they found it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.system import System, running_system

ROOT = Path(__file__).parents[2]
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
GITHUB_SECRET = "what only GitHub and we know"


def copy_functions(target: Path) -> Path:
    """Fill a folder with the shipped functions and those of the tests."""
    shutil.copytree(ROOT / "functions", target, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (Path(__file__).parent / "functions").glob("*.py"):
        shutil.copy(file, target)
    return target


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The shipped functions and those of the tests, on two worker processes."""
    folder = tmp_path_factory.mktemp("system")
    with running_system(
        folder,
        functions=copy_functions(folder / "functions"),
        environment={
            "PENSTOCK_CALLBACK_SECRET": WEBHOOK_SECRET,
            "PENSTOCK_CALLER_RATE": "100000/m",
            "PENSTOCK_SECRET_GITHUB": GITHUB_SECRET,
        },
    ) as running:
        yield running


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Write a measured figure to the terminal."""

    def write(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n  {text}\n")

    return write
