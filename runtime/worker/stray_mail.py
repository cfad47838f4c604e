"""Says once that messages of Dramatiq's own broker lie in our Redis, where nobody takes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import structlog

from runtime.errors import StoreError
from runtime.store.line import Line
from runtime.store.stray_messages import count_stray_messages

_log = structlog.get_logger(__name__)
_EVERY_S = 30.0


class StrayMail:
    """Looks now and then, when it is asked to.

    Args:
        line: A connection that the asking thread may use.
        queues: Returns the queues whose names are looked for.
        clock: Seconds, for the pace.
    """

    def __init__(
        self,
        line: Line,
        queues: Callable[[], Sequence[str]],
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._line = line
        self._queues = queues
        self._clock = clock or time.monotonic
        self._due_at = 0.0
        self._told: set[str] = set()

    def look(self) -> None:
        """Look if it is time to; what cannot be read is left."""
        now = self._clock()
        if now < self._due_at:
            return
        self._due_at = now + _EVERY_S
        queues = [queue for queue in self._queues() if queue not in self._told]
        try:
            counts = self._line.run_many(count_stray_messages(queues)) if queues else []
        except StoreError:
            return  # away, or another user's keys are not ours to read
        for queue, count in zip(queues, counts, strict=True):
            if count:
                self._told.add(queue)
                _log.warning(
                    "stray_messages",
                    queue=queue,
                    count=count,
                    hint="dramatiq.brokers.redis.RedisBroker has put them there, and no worker of "
                    "Penstock looks there; send by runtime.broker.PenstockBroker",
                )
