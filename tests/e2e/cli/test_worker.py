"""`penstock worker`: one more worker, for some queues."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.settings import read_environment
from runtime.store.blocking_connection import BlockingConnection
from tests.support.life import Life
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[3]


def start_worker(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gateway.cli.main", "worker", *words]
    environment = {k: v for k, v in read_environment().items() if not k.startswith("PENSTOCK_")}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)


def test_a_worker_serves_the_queues_it_is_told_and_no_other(
    connection: BlockingConnection, redis_url: str, tmp_path
):
    life = Life(connection)
    (tmp_path / "f.py").write_text("def f(): return 1\n")
    ids = {queue: life.submit("f", queue=queue) for queue in ("default", "a", "b", "c")}

    worker = start_worker("--queues", "a, b", "--redis", redis_url, "--functions", str(tmp_path))
    try:
        for queue in ("a", "b"):
            eventually(lambda queue=queue: life.read(ids[queue]).is_finished, within_s=15)
        [name] = life.command("ZRANGE", life.key("workers"), 0, -1)
        details = life.command("HGET", life.key("worker", name.decode()), "details")
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(15) == 0
        assert worker.stderr is not None
        worker.stderr.close()

    assert json.loads(details)["queues"] == ["a", "b"]
    assert {life.read(ids[queue]).status for queue in ("default", "c")} == {"queued"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give the URL of Redis"),
        (("--queues", " , ", "--redis", "redis://x"), "contains no queue name"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(words, said):
    worker = start_worker(*words)

    _, reported = worker.communicate(timeout=15)

    assert worker.returncode == 2
    assert said in reported.decode()
    assert "Traceback" not in reported.decode()
