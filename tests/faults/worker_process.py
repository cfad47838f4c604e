"""A worker of its own beside those of the system, to be treated badly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from runtime.settings import read_environment
from tests.faults.rig import Rig
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]


@contextmanager
def own_worker(
    rig: Rig,
    *,
    redis: str | None = None,
    queues: str = "",
    runners: int = 8,
    module: str = "runtime.worker",
    environment: Mapping[str, str] | None = None,
) -> Iterator[psutil.Process]:
    """Run one worker process until the block ends; it is there when the block begins."""
    before = {worker["id"] for worker in workers_of(rig)}
    settings = {
        "PENSTOCK_REDIS": redis or rig.redis.url,
        "PENSTOCK_FUNCTIONS": str(rig.system.functions),
        "PENSTOCK_CALLBACK_ALLOW_LOOPBACK": "true",
        "PENSTOCK_CALLBACK_SECRET": rig.secret,
        "PENSTOCK_RUNNERS": str(runners),
        "PENSTOCK_QUEUES": queues,
    }
    log = rig.folder / f"worker-{len(before)}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={**read_environment(), **settings, **(environment or {})},
            stdout=output,
            stderr=output,
        )
    try:
        eventually(
            lambda: any(w["pid"] == process.pid for w in workers_of(rig)),
            within_s=15,
            every_s=0.1,
        )
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def workers_of(rig: Rig) -> list[dict[str, object]]:
    """Return the workers that the system knows."""
    found: list[dict[str, object]] = rig.system.http.get("/workers").json()["items"]
    return found
