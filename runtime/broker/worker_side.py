"""What a broker needs besides Redis to serve a worker process; its consumers share it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from runtime.broker.attempt import Attempt
from runtime.broker.holdings import Holdings
from runtime.broker.settler import Settler
from runtime.broker.work_queue import WorkQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSide:
    """What a broker needs besides Redis to serve a worker process.

    Attributes:
        worker: The worker's id.
        lease_ms: How long a claim holds without a heartbeat.
        holdings: What the worker has in hand.
        settler: Writes how attempts ended.
        run: Runs one attempt and notes its settlement on it.
        stopping: Set when the worker drains.
        work_queue: Where what is claimed lies ready.
    """

    worker: str
    lease_ms: int
    holdings: Holdings
    settler: Settler
    run: Callable[[Attempt], None]
    stopping: threading.Event
    work_queue: WorkQueue
