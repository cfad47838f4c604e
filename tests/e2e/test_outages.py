"""Redis hangs, Redis is killed, everything is killed: told truthfully, nothing accepted is lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.conftest import copy_functions
from tests.support.system import System, running_system
from tests.support.waiting import allowed, eventually

CALLS = 100
RESUMED_WITHIN_S = 10.0
SHORT_LEASE = {"PENSTOCK_LEASE_MS": "2000", "PENSTOCK_HEARTBEAT_MS": "400"}


@pytest.fixture(scope="module")
def shaken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of its own, since its Redis suffers."""
    folder = tmp_path_factory.mktemp("shaken")
    with running_system(folder, functions=copy_functions(folder / "functions")) as running:
        yield running
        assert running.check() == []


def call_witnesses(running: System, file: Path) -> list[str]:
    """Make calls that take a while; return their ids."""
    answers = [
        running.call("witness", number=number, file=str(file), pause_s=0.05)
        for number in range(CALLS)
    ]
    return [answer.json()["id"] for answer in answers]


def is_accepting(running: System) -> bool:
    try:
        return running.call("hello").status_code == 202
    except httpx.HTTPError:
        return False


def endings(running: System, ids: list[str]) -> Counter[str]:
    return Counter(running.finished(one, within_s=30)["status"] for one in ids)


def test_a_hung_redis_is_told_within_one_and_a_half_seconds(shaken: System, tmp_path: Path) -> None:
    ids = call_witnesses(shaken, tmp_path / "witness")
    redis = shaken.parts("redis")[0]

    redis.suspend()
    try:
        began_at = time.monotonic()
        answer = shaken.call("hello")
        took_s = time.monotonic() - began_at
    finally:
        redis.resume()

    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert took_s < allowed(1.5)
    eventually(lambda: is_accepting(shaken), within_s=RESUMED_WITHIN_S)
    assert endings(shaken, ids) == {"succeeded": CALLS}


def test_a_killed_redis_comes_back_with_everything_it_had_accepted(
    shaken: System, tmp_path: Path
) -> None:
    ids = call_witnesses(shaken, tmp_path / "witness")

    shaken.parts("redis")[0].kill()

    eventually(lambda: is_accepting(shaken), within_s=RESUMED_WITHIN_S)
    assert endings(shaken, ids) == {"succeeded": CALLS}


def test_a_killed_gateway_comes_back_and_its_calls_have_run(shaken: System, tmp_path: Path) -> None:
    ids = call_witnesses(shaken, tmp_path / "witness")

    gateway = shaken.parts("gateway")[0]
    for process in (*gateway.children(recursive=True), gateway):
        process.kill()

    eventually(lambda: is_accepting(shaken), within_s=RESUMED_WITHIN_S)
    assert endings(shaken, ids) == {"succeeded": CALLS}


def test_a_killed_supervisor_leaves_no_process_and_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("killed")
    functions = copy_functions(folder / "functions")
    with running_system(folder, functions=functions, environment=SHORT_LEASE) as first:
        ids = call_witnesses(first, folder / "witness")
        tree = first.processes()
        first.up.kill()
        first.up.wait()

    _, left = psutil.wait_procs(tree, timeout=5)
    with running_system(folder, functions=functions, environment=SHORT_LEASE) as second:
        ended = endings(second, ids)

    assert not left
    assert ended == {"succeeded": CALLS}
