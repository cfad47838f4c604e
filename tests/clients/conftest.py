"""One running system for the generated clients, with functions of many kinds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.conftest import report
from tests.support.system import System, running_system

__all__ = ["report"]
HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="session")
def called(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The shipped functions and those beside this file."""
    folder = tmp_path_factory.mktemp("clients")
    functions = folder / "functions"
    for source in (ROOT / "functions", HERE / "functions"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, functions, ignore=ignored, dirs_exist_ok=True)
    with running_system(folder, functions=functions) as running:
        yield running


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A picture, wider than what it is shrunk to."""
    file = BytesIO()
    Image.new("RGB", (128, 64), "teal").save(file, "PNG")
    return file.getvalue()
