"""A worker that runs every attempt twice, as brokers may hand a message on: its own process.

python -m tests.faults.twice_worker
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from runtime.broker.attempt import Attempt
from runtime.worker import process
from runtime.worker.attempts import Attempts
from runtime.worker.main import main


class TwiceAttempts(Attempts):
    """Runs each attempt, and another time right behind it."""

    def take(self, attempts: Sequence[Attempt]) -> None:
        super().take([each for one in attempts for each in (one, Attempt(one.claimed, one.queue))])


if __name__ == "__main__":
    process.Attempts = TwiceAttempts  # type: ignore[misc]
    sys.exit(main())
