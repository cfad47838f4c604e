"""What lies between Dramatiq's consumer threads and its worker threads: first in, first out.

In place of Dramatiq's priority queue: a worker claims in the order of urgency and no more
than it has threads for, so there is nothing left to sort, and a hand-over costs less.
Whoever takes a message wakes the next thread, so a quick thread may take all.
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import Any, cast

import dramatiq


class WorkQueue:
    """The part of `queue.Queue` that a Dramatiq worker uses, but for `join`."""

    def __init__(self) -> None:
        self._items: SimpleQueue[Any] = SimpleQueue()
        self.put = self._items.put
        self.get = self._items.get
        self.get_nowait = self._items.get_nowait

    def task_done(self) -> None:
        """Say that an item is dealt with (queue.Queue): nobody waits for that here."""


class AttemptWorker(dramatiq.Worker):
    """Dramatiq's worker, with this queue between its threads."""

    def __init__(self, broker: dramatiq.Broker, *, threads: int, timeout_ms: int = 1_000) -> None:
        super().__init__(broker, worker_threads=threads, worker_timeout=timeout_ms)
        self.work_queue = cast("Any", WorkQueue())
