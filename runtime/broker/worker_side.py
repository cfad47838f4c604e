"""What a broker needs besides Redis to serve a worker process; consumers and threads share it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runtime.broker.attempt import Attempt
from runtime.broker.foresight import Foresight
from runtime.broker.holdings import Holdings
from runtime.broker.lookout import Lookout
from runtime.broker.settler import Settler
from runtime.broker.work_queue import WorkQueue
from runtime.store.line import Line


class WorkerSide:
    """The parts of a worker process between its claims and its settlements.

    Args:
        line: A connection of its own, for settling.
        worker: The worker's id.
        lease_ms: How long a claim holds without a heartbeat.
        places: How many attempts may run at once.

    Attributes:
        run: Runs one attempt and notes its settlement on it; to be set before the worker starts.
        stopping: Set when the worker drains.
        holdings: What the worker has in hand.
        foresight: What it has learned of its functions.
        work_queue: Where what is claimed lies ready.
        settler: Writes how attempts ended.
        lookout: Sees to it that nothing lies forgotten.
    """

    run: Callable[[Attempt], None]

    def __init__(self, line: Line, *, worker: str, lease_ms: int, places: int) -> None:
        self.worker = worker
        self.lease_ms = lease_ms
        self.places = places
        self.stopping = threading.Event()
        self.holdings = Holdings()
        self.foresight = Foresight()
        self.work_queue = WorkQueue(places, self.foresight)
        self.settler = Settler(line, worker, self.holdings, self.work_queue)
        self.lookout = Lookout(self.work_queue, self.settler, self.foresight)

    def start(self) -> None:
        """Begin to look after what is in hand."""
        self.lookout.start()

    def close(self) -> None:
        """Stop; what is not written then is for those who take over the leases."""
        self.settler.stop()
        self.lookout.stop()
        self.settler.close()
