"""A fork server, runners and an executor for functions written in a test."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from runtime.execution.executor import Executor
from runtime.execution.outcome import Assignment, Outcome
from runtime.execution.runner_pool import PRELOAD, RunnerPool
from runtime.execution.thread_lane import ThreadLane
from runtime.processes.environment import clean_environment
from runtime.processes.fork_server import ForkServer
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest
from runtime.sdk.options import Options
from runtime.settings import read_environment
from tests.support.runner_driver import RunnerDriver

MAX_RESULT_BYTES = 100_000
MAX_LOG_BYTES = 4_000
_DRIVING = Path(__file__).with_name("driving.py").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Written:
    """A function file as it would have been published."""

    manifest: Manifest
    bundle: Bundle


def write(source: str, **options: object) -> Written:
    """Publish `f.py` with the function `f`."""
    bundle = Bundle(
        root="/srv/functions", file="f.py", sources={"f.py": textwrap.dedent(source).encode()}
    )
    manifest = Manifest(name="f", version=bundle.version, file="f.py", options=Options(**options))
    return Written(manifest, bundle)


class Bench:
    """Runs functions through a real executor and keeps what they told meanwhile."""

    def __init__(self, fork_server: ForkServer, size: int, **options: object) -> None:
        self.frames: list[tuple[str, str, bytes]] = []
        self.pool = RunnerPool(fork_server, size=size, **options)
        self.executor = Executor(
            runners=self.pool,
            lane=ThreadLane(),
            max_result_bytes=MAX_RESULT_BYTES,
            max_log_bytes=MAX_LOG_BYTES,
            roll=lambda: 0.5,
            load_timeout_s=5,
        )

    def run(
        self,
        written: Written,
        arguments: bytes = b"{}",
        *,
        is_cancelled: Callable[[], bool] = lambda: False,
        **changes: object,
    ) -> Outcome:
        assignment = Assignment(
            id="i1", function="f", version=written.bundle.version, attempt=1, arguments=arguments
        )
        assignment = replace(assignment, **changes)
        return self.executor.run(
            assignment,
            written.manifest,
            written.bundle,
            on_note=lambda kind, data: self.frames.append((assignment.id, kind, data)),
            is_cancelled=is_cancelled,
        )


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
        bench.executor.stop()


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
def path(tmp_path):
    """Where the attempts of a crew note that they have begun."""
    return tmp_path / "begun"
