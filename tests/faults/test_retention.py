"""Retention under load: what is kept stays as large as its time to live makes it, and no larger."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.metrics_commands import read_metrics
from runtime.store.scripts import Command
from tests.faults.reliability_table import Row
from tests.support.ending import end_at_a_rate
from tests.support.redis_server import own_redis

PER_S = 5_000
TTL_MS = 10_000
WORKER = """
import sys
from tests.support.upkeeping import keeping_up, sweeper
with keeping_up(sys.argv[1], sweeper(sys.argv[2])):
    sys.stdin.read()
"""


@contextmanager
def sweeping_process(url: str, worker: str) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, url, worker], stdin=subprocess.PIPE
    ) as process:
        try:
            yield
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)


def memory_bytes(connection: BlockingConnection) -> int:
    text: bytes = connection.run(Command(("INFO", "memory"), lambda reply: reply))
    [used] = [part for part in text.decode().split() if part.startswith("used_memory:")]
    return int(used.partition(":")[2])


@pytest.mark.faults
@pytest.mark.timeout(150)
def test_what_is_overdue_stays_below_two_seconds_of_what_ends(tmp_path: Path, row: Row) -> None:
    row.begin("5,000 endings/s for 60 s, each kept for 10 s", goal="overdue < 2 s' worth")
    with own_redis(tmp_path) as url, sweeping_process(url, "w1"), sweeping_process(url, "w2"):
        connection, driving, ended = (
            BlockingConnection(url, timeout_s=10),
            BlockingConnection(url, timeout_s=10),
            [],
        )
        driver = threading.Thread(
            target=lambda: ended.append(
                end_at_a_rate(driving, per_s=PER_S, for_s=60, ttl_ms=TTL_MS)
            )
        )
        began = time.monotonic()
        driver.start()
        overdue, at_20_s = [], 0
        while driver.is_alive():
            overdue.append(connection.run(read_metrics([])).overdue_records)
            if not at_20_s and time.monotonic() - began >= 20:
                at_20_s = memory_bytes(connection)
            time.sleep(0.1)
        at_the_end = memory_bytes(connection)
        connection.close()
        driving.close()
        rate = ended[0] / 60
        row.report(
            f"{rate:,.0f} endings/s, most overdue {max(overdue):,}, "
            f"memory {at_20_s / 2**20:.0f} MiB after 20 s, {at_the_end / 2**20:.0f} MiB at the end"
        )

        assert rate > 0.9 * PER_S
        assert max(overdue) < 2 * PER_S
        assert at_the_end <= 1.3 * at_20_s
