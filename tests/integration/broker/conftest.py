"""A Dramatiq worker over our broker, its attempts run by a test's own callable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from dramatiq.middleware import Middleware

from runtime.broker import PenstockBroker
from runtime.broker.attempt import Attempt
from runtime.broker.attempt_worker import AttemptWorker
from runtime.broker.worker_side import WorkerSide
from runtime.store.invocation_calls import Settlement
from runtime.store.line import Line


@contextmanager
def dramatiq_worker(
    url: str,
    run: Callable[[Attempt], None],
    *,
    room: int = 2,
    middleware: Sequence[Middleware] = (),
    name: str = "w1",
) -> Iterator[WorkerSide]:
    """Run a worker; yields its parts."""
    side = WorkerSide(Line(url), worker=name, lease_ms=10_000, places=room)

    def run_aside(attempt: Attempt) -> None:
        attempt.is_begun = True
        if not side.foresight.is_instant(attempt.claimed.function):
            side.work_queue.step_aside()  # it may wait
        run(attempt)

    side.run = run_aside
    broker = PenstockBroker(url, worker_side=side, middleware=middleware)
    worker = AttemptWorker(broker, side, timeout_ms=50)
    side.start()
    worker.start()
    broker.declare_queue("default")
    try:
        yield side
    finally:
        side.stopping.set()
        side.holdings.wait_until_empty(timeout_s=2)
        broker.interrupt()
        worker.stop(timeout=5_000)
        side.close()
        broker.close()


def succeed(attempt: Attempt) -> None:
    """Run an attempt that gives back its arguments."""
    attempt.settlement = Settlement(
        id=attempt.claimed.id,
        token=attempt.claimed.token,
        status="succeeded",
        ttl_ms=60_000,
        result=attempt.claimed.arguments,
    )
