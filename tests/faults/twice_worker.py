"""A worker whose threads get every attempt twice, as brokers may hand it on: its own process.

python -m tests.faults.twice_worker
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from runtime.broker import worker_side
from runtime.broker.attempt import Attempt
from runtime.broker.work_queue import Room, WorkQueue
from runtime.worker.boot import main


class TwiceQueue(WorkQueue):
    """Hands each attempt on, and another time right behind it."""

    def fill(self, room: Room, attempts: Sequence[Attempt], *, is_calm: bool = False) -> bool:
        twice = [each for one in attempts for each in (one, Attempt(one.claimed, one.queue))]
        return super().fill(room, twice, is_calm=is_calm)


if __name__ == "__main__":
    worker_side.WorkQueue = TwiceQueue  # type: ignore[misc]
    sys.exit(main())
