"""Whatever a function does ends as the operators' page says, and harms nobody else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.hostile.conftest import (
    SECRET,
    Neighbour,
    add_hostile_files,
    call_runners_at_once,
    ending_of,
    judged_files,
)
from tests.hostile.table import CALLED, FUNCTIONS, LOADED
from tests.support.system import System
from tests.support.waiting import eventually

WHOLE_WITHIN_S = 5.0
NEIGHBOURS_WITHIN_S = 5.0
HARMLESS = {"neighbour", "read_secrets", "look_into_others"}


@pytest.fixture(scope="module")
def neighbour(beset: System) -> Iterator[Neighbour]:
    watched = Neighbour(beset)
    watched.start()
    yield watched
    watched.stop()


@pytest.fixture(scope="module")
def endings(beset: System, neighbour: Neighbour) -> dict[str, str]:
    """Call all of them at once, more than there are runners."""
    with ThreadPoolExecutor(len(CALLED)) as threads:
        found = threads.map(lambda name: ending_of(beset, name), CALLED)
        return dict(zip(CALLED, found, strict=True))


@pytest.fixture(scope="module")
def files(beset: System, neighbour: Neighbour) -> dict[str, str]:
    """Put all files at once where functions are; return the errors, or how calls end."""
    add_hostile_files(beset)
    names = {f"at_import.{name}" for name in LOADED}
    judged = eventually(lambda: judged_files(beset, names), within_s=30, every_s=0.1)
    return {
        name.removeprefix("at_import."): (
            ending_of(beset, name) if item["error"] is None else item["error"]["type"]
        )
        for name, item in judged.items()
    }


def test_the_table_names_every_hostile_function():
    assert {file.stem for file in FUNCTIONS.glob("*.py")} - HARMLESS == CALLED.keys()


@pytest.mark.parametrize("name", CALLED)
def test_a_call_of_it_ends_as_documented(name: str, endings: dict[str, str]):
    assert endings[name] == CALLED[name]


@pytest.mark.parametrize("name", LOADED)
def test_loading_it_ends_as_documented(name: str, files: dict[str, str]):
    assert files[name] == LOADED[name]


def test_all_runners_are_whole_again_after_all_of_it(
    beset: System, endings: dict[str, str], files: dict[str, str]
):
    began_at = time.monotonic()
    calls = call_runners_at_once(beset)

    assert set(calls) == {("succeeded", 1)}
    assert time.monotonic() - began_at < WHOLE_WITHIN_S


def test_neighbours_were_answered_all_the_while(
    neighbour: Neighbour, endings: dict[str, str], files: dict[str, str]
):
    assert neighbour.statuses == {200}
    assert max(took_s for _, took_s in neighbour.calls) < NEIGHBOURS_WITHIN_S


def test_what_a_file_prints_without_end_while_it_loads_does_not_fill_the_log(
    beset: System, files: dict[str, str]
):
    log = beset.read_log()

    assert "output while loading truncated" in log
    assert len(log) < 1_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="/proc, and a process's word on it")
def test_secrets_in_the_environment_of_the_system_are_hidden_from_functions(beset: System):
    answer = beset.call("read_secrets", wait_s=20, secret=SECRET)

    assert answer.json()["result"] == {"environment": [], "memory": []}


@pytest.mark.skipif(sys.platform != "linux", reason="/proc, ptrace, and a process's word on it")
def test_a_function_looks_into_no_other_runner_and_not_into_the_fork_server(beset: System):
    call_runners_at_once(beset)

    found = beset.call("look_into_others", wait_s=20).json()["result"]

    assert int(found.pop("looked_at")[0]) > 0
    assert found == {"server": [], "runner": []}
