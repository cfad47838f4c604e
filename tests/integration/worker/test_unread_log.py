"""A worker whose log nobody reads goes on, and its lines come when they are read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.invocations.status import Status
from runtime.store.function_commands import read_manifests
from runtime.store.system_commands import read_workers
from tests.support.life import Life
from tests.support.waiting import eventually


@pytest.fixture
def worker(redis_url: str, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    folder = tmp_path / "functions"
    folder.mkdir()
    source = """
        from penstock import function

        @function
        def f() -> int:
            return 1
    """
    (folder / "f.py").write_text(textwrap.dedent(source), encoding="utf-8")
    environment = {
        "PENSTOCK_REDIS": redis_url,
        "PENSTOCK_FUNCTIONS": str(folder),
        "PENSTOCK_LOG_FORMAT": "json",
        "PENSTOCK_RUNNERS": "1",
        "PENSTOCK_HEARTBEAT_MS": "200",
        "PENSTOCK_LEASE_MS": "5000",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "runtime.worker"],
        env=os.environ | environment,  # noqa: TID251 - a child's
        stderr=subprocess.PIPE,
    )
    yield process
    process.kill()
    process.communicate()


def test_attempts_and_heartbeats_go_on_while_nobody_reads(
    life: Life, worker: subprocess.Popen[bytes]
):
    def is_published() -> bool:
        return "f" in life.connection.run(read_manifests())

    eventually(is_published, within_s=15)
    ids = [life.submit() for _ in range(1_000)]  # 300 KB of lines

    eventually(lambda: all(life.read(one).is_finished for one in ids), within_s=20, every_s=0.2)
    assert {life.read(one).status for one in ids} == {Status.SUCCEEDED}
    seen_at_ms = life.connection.run(read_workers())[0].last_seen_at_ms
    eventually(lambda: life.connection.run(read_workers())[0].last_seen_at_ms > seen_at_ms)

    worker.send_signal(signal.SIGTERM)
    _, reported = worker.communicate(timeout=20)
    lines = [json.loads(line) for line in reported.splitlines()]
    ended = [line["id"] for line in lines if line["event"] == "invocation_succeeded"]
    assert sorted(ended) == sorted(ids)
    assert lines[-1]["event"] == "worker_stopped"
