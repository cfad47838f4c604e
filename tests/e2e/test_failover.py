"""The whole system on a Redis with sentinels: its master is killed while calls come and run."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.support.sentinels import watched_redis
from tests.support.system import System, running_system
from tests.support.waiting import allowed, eventually

OUTAGE_LIMIT_S = 5.0
AFTERWARDS_S = 0.5
ECHO = """
def echo(number: int) -> int:
    return number
"""


class Caller(threading.Thread):
    """Calls without a pause until told to stop; remembers what was acknowledged, and when."""

    def __init__(self, system: System) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[tuple[float, str]] = []
        self.refusals: set[int] = set()
        self.ended = threading.Event()
        self._url = system.base_url

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=10, trust_env=False) as http:
            number = 0
            while not self.ended.is_set():
                number += 1
                answer = http.post("/functions/echo", json={"number": number})
                if answer.status_code == 202:
                    self.acknowledged.append((time.monotonic(), answer.json()["id"]))
                else:
                    self.refusals.add(answer.status_code)
                    self.ended.wait(0.02)


@pytest.mark.faults
def test_killing_the_master_costs_seconds_and_no_acknowledged_call(
    tmp_path: Path, report: Callable[[str], None]
):
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions/echo.py").write_text(ECHO)
    with (
        watched_redis(tmp_path) as redis,
        running_system(tmp_path, "--redis", redis.url) as system,
    ):
        caller = Caller(system)
        caller.start()
        eventually(lambda: len(caller.acknowledged) > 50)
        redis.kill_master()
        killed_at = time.monotonic()
        eventually(
            lambda: caller.acknowledged[-1][0] > killed_at + AFTERWARDS_S and _goes_on(caller),
            within_s=20,
        )
        answer = system.call("echo", wait_s=10, number=7)
        caller.ended.set()
        caller.join()
        statuses = {system.finished(id_)["status"] for _, id_ in caller.acknowledged}

        moments = [at for at, _ in caller.acknowledged]
        outage_s = max(b - a for a, b in itertools.pairwise(moments))
        report(f"outage {outage_s:.2f} s; {len(moments)} acknowledged, all ended")
        assert answer.status_code == 200
        assert statuses == {"succeeded"}
        assert caller.refusals <= {503}
        assert outage_s < allowed(OUTAGE_LIMIT_S)


def _goes_on(caller: Caller) -> bool:
    """Return whether calls have been taken for a while again after an outage."""
    moments = [at for at, _ in caller.acknowledged]
    return moments[-1] - moments[-20] < AFTERWARDS_S
