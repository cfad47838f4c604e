"""kill -9 of a runner, a worker process and the whole worker tree while 500 invocations run.

The witness is outside: every run writes its beginning and its end to a file.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import copy_functions
from tests.support.system import System, running_system
from tests.support.waiting import allowed, eventually

CALLS = 500
PAUSE_S = 0.15
LEASE_S = 10.0  # by default
SHORT_LEASE_S = 2.0
BACK_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class WitnessLine:
    """One line of the witness."""

    what: str
    id: str
    attempt: int
    pid: int
    at_s: float


def read_witness(file: Path) -> list[WitnessLine]:
    if not file.exists():
        return []
    rows = [line.split() for line in file.read_text().splitlines()]
    return [WitnessLine(row[0], row[1], int(row[2]), int(row[3]), float(row[4])) for row in rows]


def kill_all(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def kill_a_runner(running: System, file: Path) -> None:
    """Kill the process of a run that has begun and not ended."""
    lines = read_witness(file)
    ended = {line.id for line in lines if line.what == "ended"}
    busy = [line.pid for line in lines if line.what == "began" and line.id not in ended]
    kill_all([psutil.Process(busy[-1])])


def kill_a_worker(running: System, file: Path) -> None:
    kill_all(running.parts("worker")[:1])


def kill_the_worker_tree(running: System, file: Path) -> None:
    kill_all([*running.parts("worker"), *running.runners()])


@pytest.fixture(
    scope="module", params=[SHORT_LEASE_S, pytest.param(LEASE_S, marks=pytest.mark.faults)]
)
def lease_s(request: pytest.FixtureRequest) -> float:
    """How long a lease lasts."""
    return float(request.param)


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory, lease_s: float) -> Iterator[System]:
    """A system of its own, since its workers do not live long."""
    folder = tmp_path_factory.mktemp("fragile")
    environment = {
        "PENSTOCK_LEASE_MS": f"{lease_s * 1000:.0f}",
        "PENSTOCK_HEARTBEAT_MS": f"{lease_s * 200:.0f}",
    }
    functions = copy_functions(folder / "functions")
    with running_system(folder, functions=functions, environment=environment) as running:
        yield running
        assert running.check() == []


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    "strike",
    [
        kill_a_worker,
        pytest.param(kill_a_runner, marks=pytest.mark.faults),
        pytest.param(kill_the_worker_tree, marks=pytest.mark.faults),
    ],
)
def test_after_a_kill_every_invocation_ends_once_and_is_soon_taken_over(
    fragile: System, lease_s: float, tmp_path: Path, strike: Callable[[System, Path], None]
) -> None:
    file = tmp_path / "witness"
    before = fragile.http.get("/functions/witness").json()["stats"]
    # Paused meanwhile: however slowly they are accepted, many wait when the blow falls.
    fragile.http.patch("/queues/default", json={"paused": True}).raise_for_status()
    ids = [
        fragile.call("witness", number=number, file=str(file), pause_s=PAUSE_S).json()["id"]
        for number in range(CALLS)
    ]
    fragile.http.patch("/queues/default", json={"paused": False}).raise_for_status()
    eventually(lambda: len(read_witness(file)) > 60, within_s=20)

    strike(fragile, file)
    struck_at = time.time()
    ended = [fragile.finished(invocation_id, within_s=60) for invocation_id in ids]

    assert Counter(invocation["status"] for invocation in ended) == {"succeeded": CALLS}
    lines = read_witness(file)
    completed = Counter(line.id for line in lines if line.what == "ended")
    assert set(completed) == set(ids)
    again = [line for line in lines if line.what == "began" and line.attempt > 1]
    assert again
    assert max(line.at_s for line in again) - struck_at < lease_s + allowed(BACK_WITHIN_S)
    assert max(line.attempt for line in lines) == 2
    assert all(invocation["attempt"] <= 2 for invocation in ended)
    after = fragile.http.get("/functions/witness").json()["stats"]
    assert after["succeeded"] - before.get("succeeded", 0) == CALLS
