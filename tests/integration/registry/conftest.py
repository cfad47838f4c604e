"""A fork server with the registry warmed, and a folder of functions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.processes.environment import clean_environment
from runtime.processes.fork_server import ForkServer
from runtime.registry.inspection import PRELOAD
from runtime.settings import read_environment


@pytest.fixture(scope="session")
def loading_server() -> Iterator[ForkServer]:
    server = ForkServer(preload=PRELOAD, environment=clean_environment(read_environment()))
    server.start()
    yield server
    server.stop()


class Folder:
    """A functions folder that tests write into."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, file: str, source: str) -> Path:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "functions")
