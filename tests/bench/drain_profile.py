"""Where a worker's time goes: drain what waits, then one call at a time on an idle system.

python -m tests.bench.drain_profile [--isolation thread|process] [--workers 2] [--calls 10000]

Real worker processes on a Redis of their own with `up`'s append-only file, no gateway. CPU time
per call hardly changes with what else the machine does; calls per second do.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import all_scripts
from runtime.store.system_commands import pause_queue
from tests.bench.reporting import report
from tests.support.life import Life
from tests.support.listener import Listener
from tests.support.published import Published
from tests.support.redis_server import start_redis
from tests.support.waiting import eventually

SOURCE = """
from penstock import function

@function(isolation="{isolation}")
def noop(n: int = 0) -> int:
    return n
"""


@contextmanager
def worker_processes(url: str, folder: Path, count: int, runners: int) -> Iterator[list[int]]:
    """Run workers on `folder`/functions; yield their pids."""
    environment = os.environ | {  # noqa: TID251 - what workers inherit
        "PENSTOCK_REDIS": url,
        "PENSTOCK_FUNCTIONS": str(folder / "functions"),
        "PENSTOCK_RUNNERS": str(runners),
        "PENSTOCK_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "runtime.worker"]
    running = [subprocess.Popen(command, env=environment) for _ in range(count)]
    try:
        yield [worker.pid for worker in running]
    finally:
        for worker in running:
            worker.terminate()
        for worker in running:
            worker.wait(20)


def cpu_s(pids: list[int]) -> tuple[float, float]:
    """Return the CPU seconds of these processes, and of all that they have started."""
    own = children = 0.0
    for pid in pids:
        process = psutil.Process(pid)
        own += sum(process.cpu_times()[:2])
        for child in process.children(recursive=True):
            children += sum(child.cpu_times()[:2])
    return own, children


def switches(pids: list[int]) -> int:
    """Return how often threads of these processes have given up a core, of themselves or not."""
    return sum(
        int(line.split()[1])
        for pid in pids
        for status in Path(f"/proc/{pid}/task").glob("*/status")
        for line in status.read_text().splitlines()
        if "ctxt_switches" in line
    )


class DrainBench:
    """One Redis and what is asked of it."""

    def __init__(self, url: str, redis_pid: int) -> None:
        self.url = url
        self.redis_pid = redis_pid
        self.life = Life(BlockingConnection(url))

    def submit(self, calls: int) -> None:
        """Put calls into the queue while nothing may start."""
        version = Published(self.life.connection).versions()["noop"]
        for number in range(calls):
            arguments = b'{"n": %d}' % number
            self.life.submit("noop", version=version, arguments=arguments)

    def succeeded(self) -> int:
        """Return how many calls have succeeded so far."""
        return int(self.life.command("HGET", self.life.key("stats"), "noop:succeeded") or 0)

    def script_costs(self) -> dict[str, tuple[int, float]]:
        """Return calls and total microseconds of each script, as far as EVALSHA tells."""
        info = self.life.command("INFO", "commandstats").decode()
        line = next((x for x in info.splitlines() if x.startswith("cmdstat_evalsha:")), "")
        words = dict(part.split("=") for part in line.partition(":")[2].split(",") if part)
        return {"evalsha": (int(words.get("calls", 0)), float(words.get("usec", 0)))}

    def drain(self, calls: int, workers: list[int]) -> None:
        """Time how long the workers need for calls that all wait."""
        self.life.connection.run(pause_queue("default", is_paused=True))
        self.submit(calls)
        done_before = self.succeeded()
        before = (*cpu_s(workers), sum(psutil.Process(self.redis_pid).cpu_times()[:2]))
        switched = switches(workers)
        self.life.command("CONFIG", "RESETSTAT")
        began_at = time.perf_counter()
        self.life.connection.run(pause_queue("default", is_paused=False))
        eventually(lambda: self.succeeded() - done_before >= calls, within_s=120)
        took_s = time.perf_counter() - began_at
        after = (*cpu_s(workers), sum(psutil.Process(self.redis_pid).cpu_times()[:2]))
        own, runners, redis = ((b - a) / calls * 1e6 for a, b in zip(before, after, strict=True))
        count, usec = self.script_costs()["evalsha"]
        report(
            f"drain {calls / took_s:7.0f}/s   CPU µs per call: worker {own:.0f}, runners "
            f"{runners:.0f}, redis {redis:.0f} (scripts {usec / calls:.0f} in "
            f"{count / calls:.2f} calls), all {own + runners + redis:.0f}; switches of workers "
            f"{(switches(workers) - switched) / calls:.1f}"
        )

    def idle(self, calls: int) -> None:
        """Time single calls, from their submission to the notice of their end."""
        version = Published(self.life.connection).versions()["noop"]
        took_ms = []
        for _ in range(calls):
            time.sleep(0.05)  # let everything fall asleep
            listener = Listener(self.url, self.life.key("inbox", "g"))
            began_at = time.perf_counter()
            self.life.submit("noop", version=version, waiters="g")
            listener.one()
            took_ms.append((time.perf_counter() - began_at) * 1000)
        p50, p90 = statistics.median(took_ms), statistics.quantiles(took_ms, n=10)[-1]
        report(f"idle  p50 {p50:.2f} ms, p90 {p90:.2f} ms, best {min(took_ms):.2f} ms")


def main() -> None:
    """Measure as the flags say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--isolation", choices=("thread", "process"), default="thread")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runners", type=int, default=8)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--idle", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    flags = parser.parse_args()
    all_scripts()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "functions").mkdir()
        (folder / "functions" / "noop.py").write_text(SOURCE.format(isolation=flags.isolation))
        redis = start_redis(folder, "--appendonly", "yes", "--appendfsync", "everysec")
        try:
            bench = DrainBench(f"unix://{folder}/redis.sock", redis.pid)
            with worker_processes(bench.url, folder, flags.workers, flags.runners) as pids:
                eventually(Published(bench.life.connection).has("noop"), within_s=20)
                bench.submit(200)
                eventually(lambda: bench.succeeded() >= 200, within_s=30)
                for _ in range(flags.rounds):
                    bench.drain(flags.calls, pids)
                if flags.idle:
                    bench.idle(flags.idle)
        finally:
            redis.terminate()
            redis.wait()


if __name__ == "__main__":
    main()
