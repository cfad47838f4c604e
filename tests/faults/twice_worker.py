"""A worker whose consumer hands every message on twice, as brokers may: a process of its own.

python -m tests.faults.twice_worker
"""

from __future__ import annotations

import sys
from collections import deque

import dramatiq

from runtime.broker import broker
from runtime.broker.attempt import Attempt, attempt_of, message_of
from runtime.broker.consumer import QueueConsumer
from runtime.worker.boot import main


class TwiceConsumer(QueueConsumer):
    """Hands each message on, and then the same one again."""

    def __next__(self) -> dramatiq.MessageProxy | None:
        again: deque[dramatiq.MessageProxy] = self.__dict__.setdefault("again", deque())
        if again:
            return again.popleft()
        message = super().__next__()
        if message is not None:
            copy = Attempt(attempt_of(message).claimed)
            again.append(message_of(copy, message.queue_name))
        return message


if __name__ == "__main__":
    broker.QueueConsumer = TwiceConsumer  # type: ignore[misc]
    sys.exit(main())
