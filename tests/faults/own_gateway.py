"""A gateway of its own beside those of the system, in an environment of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from runtime.settings import read_environment
from tests.faults.rig import Rig
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]


@contextmanager
def own_gateway(rig: Rig, environment: Mapping[str, str]) -> Iterator[str]:
    """Run a gateway until the block ends; yield its base address once it is ready."""
    settings = {
        "PENSTOCK_REDIS": rig.redis.url,
        "PENSTOCK_CALLBACK_ALLOW_LOOPBACK": "true",
        "PENSTOCK_CALLBACK_SECRET": rig.secret,
    }
    with (
        socket.create_server(("127.0.0.1", 0), backlog=2048) as listener,
        (rig.folder / "own_gateway.log").open("wb") as log,
    ):
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--config", "python:gateway.server"),
                *("--bind", f"fd://{listener.fileno()}"),
            ],
            cwd=ROOT,
            env={**read_environment(), **settings, **environment},
            pass_fds=(listener.fileno(),),
            stdout=log,
            stderr=log,
        )
        try:
            eventually(lambda: _is_ready(base_url), within_s=15, every_s=0.1)
            yield base_url
        finally:
            process.terminate()
            process.wait(15)


def _is_ready(base_url: str) -> bool:
    try:
        return httpx.get(f"{base_url}/readyz", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False
