"""A fork server with the registry warmed, a folder of functions, and its publisher."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.processes.environment import clean_environment
from runtime.processes.fork_server import ForkServer
from runtime.registry.child_load import PRELOAD
from runtime.registry.publisher import Publisher
from runtime.settings import read_environment
from runtime.store.blocking_connection import BlockingConnection
from tests.support.published import Published


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


@pytest.fixture
def published(connection: BlockingConnection) -> Published:
    return Published(connection)


@pytest.fixture
def publish(
    redis_url: str, loading_server: ForkServer, folder
) -> Iterator[Callable[..., Publisher]]:
    """Start a publisher of the folder; it stops at the end."""
    started: list[Publisher] = []

    def start(*, root: Path | None = None, url: str = redis_url, **options: float) -> Publisher:
        publisher = Publisher(
            BlockingConnection(url), loading_server, root or folder.root, **options
        )
        publisher.start()
        started.append(publisher)
        return publisher

    yield start
    for publisher in started:
        publisher.stop()
