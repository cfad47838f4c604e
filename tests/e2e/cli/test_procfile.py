"""The Procfile starts a system, as platforms that run processes themselves do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from tests.support.waiting import eventually

ROOT = Path(__file__).parents[3]
STOP_LIMIT_S = 30.0


def test_web_and_worker_serve_a_call(redis_url: str, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    programs = Path(sys.executable).parent
    settings = {"PENSTOCK_REDIS": redis_url, "PENSTOCK_PORT": str(port)}
    log = tmp_path / "log"
    with log.open("wb") as output:
        honcho = subprocess.Popen(
            [programs / "honcho", "start", "--no-colour"],
            cwd=ROOT,
            env={**os.environ, **settings, "PATH": f"{programs}:{os.environ['PATH']}"},  # noqa: TID251
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"

    def answer() -> httpx.Response | None:
        assert honcho.poll() is None, log.read_text()
        try:
            response = httpx.post(
                f"{url}/functions/hello", json={"name": "Ada"}, headers={"Prefer": "wait=10"}
            )
        except httpx.TransportError:
            return None
        return response if response.status_code == 200 else None

    try:
        assert eventually(answer, within_s=20).json()["result"] == "Hello, Ada!"
    finally:
        honcho.send_signal(signal.SIGTERM)
        honcho.wait(STOP_LIMIT_S)
