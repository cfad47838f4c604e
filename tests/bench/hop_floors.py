"""The least that each hop of a call can cost here: warm, and after everything has slept.

python -m tests.bench.hop_floors
"""

from __future__ import annotations

import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import dramatiq
from dramatiq.brokers.stub import StubBroker

from runtime.store.line import Line
from tests.support.redis_server import PING, own_redis

ROUNDS = 200
MESSAGES = 5_000
PAUSE_S = 0.02


def tell_hop(name: str, hop: Callable[[], object]) -> None:
    """Print how long a hop takes at the median: one right after the other, and after a pause."""
    hop()
    medians_us = []
    for pause_s in (0.0, PAUSE_S):
        took_us = []
        for _ in range(ROUNDS):
            time.sleep(pause_s)
            began_at = time.perf_counter()
            hop()
            took_us.append((time.perf_counter() - began_at) * 1e6)
        medians_us.append(statistics.median(took_us))
    sys.stdout.write(f"{name}: {medians_us[0]:.0f} µs warm, {medians_us[1]:.0f} µs cold\n")


def process_hop() -> Callable[[], object]:
    """Return a byte's way to another process and back."""
    here, there = socket.socketpair()
    if os.fork() == 0:
        here.close()
        while data := there.recv(1):
            there.send(data)
        os._exit(0)
    there.close()
    return lambda: (here.send(b"x"), here.recv(1))


def thread_hop() -> Callable[[], object]:
    """Return an item's way to another thread and back."""
    out: SimpleQueue[int] = SimpleQueue()
    back: SimpleQueue[int] = SimpleQueue()

    def serve() -> None:
        while True:
            back.put(out.get())

    threading.Thread(target=serve, daemon=True).start()
    return lambda: (out.put(1), back.get())


def tell_bare_dramatiq() -> None:
    """Print what Dramatiq's worker alone costs, eight threads and no middleware."""
    broker = StubBroker(middleware=[])

    @dramatiq.actor(broker=broker, queue_name="q")
    def noop() -> None:
        pass

    for _ in range(MESSAGES):
        noop.send()
    worker = dramatiq.Worker(broker, worker_threads=8)
    cpu_before, began_at = time.process_time(), time.perf_counter()
    worker.start()
    broker.join("q")
    cpu_us = (time.process_time() - cpu_before) / MESSAGES * 1e6
    rate = MESSAGES / (time.perf_counter() - began_at)
    worker.stop()
    sys.stdout.write(f"no-op Dramatiq worker: {cpu_us:.0f} µs of CPU a message, {rate:.0f}/s\n")


def main() -> None:
    """Measure all."""
    tell_hop("process and back", process_hop())
    tell_hop("thread and back", thread_hop())
    with tempfile.TemporaryDirectory() as folder, own_redis(Path(folder)) as url:
        line = Line(url)
        tell_hop("Redis PING", lambda: line.run(PING))
    tell_bare_dramatiq()


if __name__ == "__main__":
    main()
