"""A fork server, benches and drivers for functions written in a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from runtime.execution.runner_process import PRELOAD
from runtime.processes.environment import clean_environment
from runtime.processes.fork_server import ForkServer
from runtime.settings import read_environment
from tests.integration.execution.bench import Bench
from tests.integration.execution.thread_bench import lanes
from tests.support.runner_driver import RunnerDriver

_DRIVING = Path(__file__).with_name("driving.py").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def fork_server():
    server = ForkServer(preload=PRELOAD, environment=clean_environment(read_environment()))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def make_bench(fork_server):
    """Make benches: of so many runners, on the shared fork server or another."""
    made: list[Bench] = []

    def make(size: int = 2, server: ForkServer = fork_server, **options: object) -> Bench:
        made.append(Bench(server, size=size, **options))
        return made[-1]

    yield make
    for bench in made:
        bench.stop()


@pytest.fixture
def bench(make_bench):
    return make_bench()


@pytest.fixture
def make_server():
    """Make fork servers of a test's own, from an environment."""
    made: list[ForkServer] = []

    def make(source: Mapping[str, str] | None = None) -> ForkServer:
        environment = clean_environment(source or read_environment())
        made.append(ForkServer(preload=PRELOAD, environment=environment))
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def make_driver(fork_server):
    """Make runners that are driven frame by frame: of the driving file, or of another source."""
    made: list[RunnerDriver] = []

    def make(source: str = _DRIVING, **options: object) -> RunnerDriver:
        made.append(RunnerDriver(fork_server, source, **options))
        return made[-1]

    yield make
    for driver in made:
        driver.close()


@pytest.fixture
def driver(make_driver):
    return make_driver()


@pytest.fixture
def make_lane():
    """Make thread lanes, of so many threads."""
    with lanes() as make:
        yield make


@pytest.fixture
def lane(make_lane):
    return make_lane()


@pytest.fixture
def path(tmp_path):
    """Where the attempts of a crew note that they have begun."""
    return tmp_path / "begun"
