"""The live document is true: what it allows is taken, what it forbids is refused, all as it says.

Schemathesis reads the document of a running system that asks for keys, and tries it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.settings import read_environment
from runtime.store.blocking_connection import BlockingConnection
from tests.support.api_keys import MadeKey, make_key
from tests.support.system import System, running_system

HERE = Path(__file__).parent
FEWEST_CASES = 2_000
_SOME = "^(list_invocations|get_invocation|change_queue|problem)$"
_COMMAND = "from schemathesis.cli import schemathesis; schemathesis()"


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that asks everybody for a key."""
    folder = tmp_path_factory.mktemp("boundary")
    with running_system(
        folder,
        functions=HERE / "functions",
        environment={
            "PENSTOCK_AUTH": "required",
            "PENSTOCK_REDIS_TIMEOUT_S": "20",  # a busy machine is no finding
        },
    ) as system:
        yield system


@pytest.fixture(scope="module")
def key(closed: System) -> MadeKey:
    connection = BlockingConnection(f"unix://{closed.redis_socket}")
    made = make_key(connection, "boundary", "admin")
    connection.close()
    return made


def try_everything(
    system: System, key: MadeKey, folder: Path, *flags: str, limit_s: float
) -> dict[str, Any]:
    """Run schemathesis; return its report, after seeing that it found no failure."""
    report = folder / "report.json"
    ran = subprocess.run(
        [
            *(sys.executable, "-c", _COMMAND),
            *("--config-file", str(HERE / "schemathesis.toml")),
            *("run", f"{system.base_url}/openapi.json"),
            *("--header", f"Authorization: Bearer {key.text}"),
            *("--exclude-path-regex", "/events$"),  # a stream, which lasts as long as its call
            *("--report", "json", "--report-json-path", str(report), "--no-color"),
            *("--seed", "1", "--continue-on-failure", "--warnings", "off"),
            *flags,
        ],
        env={**read_environment(), "SCHEMATHESIS_HOOKS": "tests.boundary.schemathesis_hooks"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )
    assert report.exists(), f"{ran.stdout[-4000:]}\n{ran.stderr[-2000:]}"
    found: dict[str, Any] = json.loads(report.read_text())
    reported = "\n\n".join(str(failure)[:1500] for failure in found["failures"] + found["errors"])
    assert ran.returncode == 0, reported
    answer = httpx.get(f"{system.base_url}/keys", headers=key.headers, trust_env=False)
    assert answer.status_code == 200, "the key was lost on the way, so nothing was tried"
    return found


def test_the_boundaries_of_every_value_of_some_operations(
    closed: System, key: MadeKey, tmp_path: Path
):
    flags = ("--phases", "coverage", "--include-operation-id-regex", _SOME)

    found = try_everything(closed, key, tmp_path, *flags, limit_s=55)

    assert found["test_cases"]["generated"] > 100


@pytest.mark.faults
@pytest.mark.timeout(1_200)
def test_every_operation_in_every_way(
    closed: System, key: MadeKey, tmp_path: Path, report: Callable[[str], None]
):
    flags = ("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "20")

    found = try_everything(closed, key, tmp_path, *flags, limit_s=1_100)

    cases, operations = found["test_cases"], found["operations"]
    report(f"{cases['generated']} cases over {operations['tested']} operations, none failed")
    assert cases["generated"] >= FEWEST_CASES
    assert operations["tested"] == operations["selected"]
