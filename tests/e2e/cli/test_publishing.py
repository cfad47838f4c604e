"""Several workers with folders of their own: who publishes is told, and nothing vanishes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.commands import penstock
from tests.support.gateway_process import RunningGateway, running_gateway
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[3]
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(redis_url: str) -> Iterator[Start]:
    """Start a worker on a folder; it stops at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(folder: Path, **settings: str) -> subprocess.Popen[bytes]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}  # noqa: TID251
        named = {
            "PENSTOCK_REDIS": redis_url,
            "PENSTOCK_FUNCTIONS": str(folder),
            "PENSTOCK_LEASE_MS": "2000",
            "PENSTOCK_HEARTBEAT_MS": "200",
        }
        worker = subprocess.Popen(
            [sys.executable, "-m", "runtime.worker"],
            cwd=ROOT,
            env=kept | named | settings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(worker)
        return worker

    yield begin
    for worker in started:
        stop(worker)


def stop(worker: subprocess.Popen[bytes]) -> None:
    if worker.poll() is None:
        worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0


@pytest.fixture
def gateway(redis_url: str) -> Iterator[RunningGateway]:
    with running_gateway(redis_url) as running:
        yield running


def write_functions(folder: Path, **sources: object) -> Path:
    folder.mkdir(exist_ok=True)
    for name, value in sources.items():
        (folder / f"{name}.py").write_text(f"def {name}(): return {value!r}\n")
    return folder


def published_names(gateway: RunningGateway) -> set[str]:
    return {item["name"] for item in httpx.get(f"{gateway.url}/functions").json()["items"]}


def worker_of(gateway: RunningGateway, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return a worker as GET /workers shows it, empty before it is known."""
    items = httpx.get(f"{gateway.url}/workers").json()["items"]
    return next((item for item in items if item["pid"] == process.pid), {})


def publishes(gateway: RunningGateway, process: subprocess.Popen[bytes]) -> Callable[[], bool]:
    return lambda: bool(worker_of(gateway, process).get("publishes"))


@pytest.mark.parametrize("others", [{}, {"one": "changed", "new": 4}])
def test_a_worker_with_other_files_takes_over_nothing_but_the_role(
    gateway: RunningGateway, start: Start, tmp_path: Path, others: dict[str, object]
):
    first = start(write_functions(tmp_path / "first", one=1, two=2, three=3))
    eventually(lambda: published_names(gateway) == {"one", "two", "three"}, within_s=15)
    second = start(write_functions(tmp_path / "second", **others))
    state = "differs" if others else "empty"
    eventually(
        lambda: worker_of(gateway, second).get("functions", {}).get("state") == state, within_s=20
    )
    before = httpx.get(f"{gateway.url}/functions").json()["items"]

    stop(first)
    eventually(publishes(gateway, second), within_s=10)

    shown_id = worker_of(gateway, second)["id"]
    shown = worker_of(gateway, second)["functions"]
    assert shown["state"] == state
    assert shown["differing"]
    assert "one" in published_names(gateway)
    assert httpx.get(f"{gateway.url}/functions").json()["items"] == before
    reported = penstock("status", "--url", gateway.url).stdout
    assert "penstock publish --worker" in reported
    assert f"publishes, {state}" in reported
    [hint] = [line for line in reported.splitlines() if "penstock publish --worker" in line]
    assert hint.endswith(f"{shown_id} --withdraw-missing")

    (tmp_path / "second" / "later.py").write_text("def later(): pass\n")
    eventually(lambda: "later" in published_names(gateway), within_s=5)
    assert {"one", "two", "three"} <= published_names(gateway)

    third = start(tmp_path / "first")  # the folder that had the say comes back
    eventually(publishes(gateway, third), within_s=15)


def test_publish_makes_a_workers_folder_the_one_that_is_published(
    gateway: RunningGateway, start: Start, tmp_path: Path
):
    first = start(write_functions(tmp_path / "first", one=1, two=2))
    eventually(lambda: published_names(gateway) == {"one", "two"}, within_s=15)
    second = start(write_functions(tmp_path / "second", one="changed", new=3))
    eventually(
        lambda: worker_of(gateway, second).get("functions", {}).get("state") == "differs",
        within_s=20,
    )
    digest = worker_of(gateway, second)["functions"]["digest"]

    reported = penstock("publish", "--url", gateway.url, "--json")
    assert json.loads(reported.stdout)["worker"] == worker_of(gateway, second)["id"]
    eventually(lambda: published_names(gateway) == {"one", "two", "new"}, within_s=10)
    eventually(lambda: not publishes(gateway, first)(), within_s=10)

    penstock("publish", "--url", gateway.url, "--withdraw-missing")
    eventually(lambda: published_names(gateway) == {"one", "new"}, within_s=10)
    eventually(lambda: worker_of(gateway, second)["functions"]["state"] == "published", within_s=10)
    assert worker_of(gateway, second)["functions"]["digest"] == digest


def test_a_worker_that_shall_never_publish_does_not(
    gateway: RunningGateway, start: Start, tmp_path: Path
):
    never = start(write_functions(tmp_path / "never", one=1), PENSTOCK_PUBLISH="never")
    eventually(lambda: worker_of(gateway, never), within_s=15)
    first = start(write_functions(tmp_path / "first", two=2))

    eventually(lambda: published_names(gateway) == {"two"}, within_s=15)
    assert not publishes(gateway, never)()
    stop(first)


def test_to_publish_an_unknown_worker_is_refused(gateway: RunningGateway):
    answer = httpx.post(f"{gateway.url}/workers/nobody-1/publish")

    assert (answer.status_code, answer.json()["code"]) == (404, "worker_not_found")
    wrong = httpx.post(f"{gateway.url}/workers/nobody-1/publish?withdraw_missing=perhaps")
    assert wrong.json()["errors"][0]["pointer"] == "?withdraw_missing"
