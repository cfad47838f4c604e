"""Processes that are measured: starting a server, and what processes have used so far.

`cpu_s` is the one way in which the benchmarks read processor time.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

_WHOLE_PROCESS = 2  # of a clock in clock_gettime(2): CPUCLOCK_SCHED, of all threads
_START_LIMIT_S = 15.0


def cpu_s(pid: int, *, with_children: bool = False) -> float:
    """Return the processor time, user and system, that a process has used so far.

    Exact, where `/proc` counts ticks of 10 ms; threads that have ended are counted.

    Raises:
        ProcessLookupError: It has gone.
    """
    try:
        used = time.clock_gettime((~pid << 3) | _WHOLE_PROCESS)
    except OSError as error:  # EINVAL: there is no such clock
        raise ProcessLookupError(f"process {pid} has gone") from error
    if with_children:
        used += sum(cpu_s(child) for child in children(pid))
    return used


def cpu_s_each(pids: Iterable[int]) -> dict[int, float]:
    """Return the processor time of each process that is still there."""
    used = {}
    for pid in pids:
        with suppress(ProcessLookupError):
            used[pid] = cpu_s(pid)
    return used


def children(pid: int) -> list[int]:
    """Return the processes a process has started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(child) for child in text.split()]


def resident_bytes(pid: int) -> int:
    """Return how much memory a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def running_gunicorn(target: str, *, workers: int = 1) -> Iterator[tuple[int, int]]:
    """Serve an application by the gateway's worker class; yield its port and arbiter."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"),
                *("-k", "gateway.serving.gunicorn_worker.GatewayWorker", "-w", str(workers)),
                *("--log-level", "warning", "--no-control-socket", target),
            ],
            pass_fds=(listener.fileno(),),
        )
        port = listener.getsockname()[1]
        try:
            _await_answer(f"http://127.0.0.1:{port}/")
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(15)


def _await_answer(url: str) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    while True:
        try:
            httpx.get(url, timeout=1)
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
