"""The floors of a call's hops: the least that each kind of step costs on this machine.

Used by `tests.bench.hops`. Each function returns times in microseconds. A step is measured
warm, one right after the other, and after a pause, when its other side has gone to sleep: on
an idle system every hop is of the second kind.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dramatiq
from dramatiq.brokers.stub import StubBroker

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command

PAUSE_S = 0.02
PING: Command[object] = Command(("PING",), lambda reply: reply)
NOTHING: Command[object] = Command(("EVAL", "return 1", 0), lambda reply: reply)
_MESSAGES = 5_000
_FRAME = b"x" * 64


def time_each(step: Callable[[], object], times: int, pause_s: float = 0.0) -> list[float]:
    """Return how long each of so many steps took, in microseconds."""
    found = []
    for _ in range(times):
        if pause_s:
            time.sleep(pause_s)
        began_at = time.perf_counter()
        step()
        found.append((time.perf_counter() - began_at) * 1e6)
    return found


@contextmanager
def echoing_child() -> Iterator[Callable[[], object]]:
    """Fork a child that sends back what it gets over a socket pair; yield a round trip."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        while data := theirs.recv(1024):
            theirs.sendall(data)
        os._exit(0)
    theirs.close()

    def round_trip() -> object:
        ours.sendall(_FRAME)
        return ours.recv(1024)

    try:
        yield round_trip
    finally:
        ours.close()
        os.waitpid(pid, 0)


@contextmanager
def answering_thread() -> Iterator[Callable[[], object]]:
    """Start a thread that answers what it is handed; yield a hand-over there and back."""
    there: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    back: queue.SimpleQueue[int] = queue.SimpleQueue()

    def answer() -> None:
        while (got := there.get()) is not None:
            back.put(got)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()

    def round_trip() -> object:
        there.put(1)
        return back.get()

    yield round_trip
    there.put(None)
    thread.join()


def time_redis(
    connection: BlockingConnection, call: Command[object], times: int, pause_s: float = 0.0
) -> list[float]:
    """Return the round trips of a command."""
    connection.run(call)
    return time_each(lambda: connection.run(call), times, pause_s)


def time_noop_messages(*, with_middleware: bool) -> float:
    """Return the CPU time of a no-op message in a Dramatiq worker that talks to nobody."""
    broker = StubBroker() if with_middleware else StubBroker(middleware=[])

    @dramatiq.actor(broker=broker)
    def noop() -> None:
        pass

    for _ in range(_MESSAGES):
        noop.send()
    began_at = time.process_time()
    worker = dramatiq.Worker(broker, worker_timeout=100, worker_threads=8)
    worker.start()
    broker.join(noop.queue_name)
    spent_s = time.process_time() - began_at
    worker.stop()
    return spent_s / _MESSAGES * 1e6
