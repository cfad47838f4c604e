"""Says once that messages of Dramatiq's own broker lie in our Redis, where nobody takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from runtime.errors import StoreError
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.stray_messages import count_stray_messages

_log = structlog.get_logger(__name__)
_EVERY_S = 30.0


class StrayMessageWarning:
    """Looks now and then.

    Args:
        line: The connection to use.
        queues: Returns the queues whose names are looked for.
    """

    def __init__(self, line: BlockingConnection, queues: Callable[[], Sequence[str]]) -> None:
        self._line = line
        self._queues = queues
        self._reported: set[str] = set()

    def step(self) -> float:
        """Look once; return for how many seconds to rest. What cannot be read is left."""
        queues = [queue for queue in self._queues() if queue not in self._reported]
        try:
            counts = self._line.run_many(count_stray_messages(queues)) if queues else []
        except StoreError:
            return _EVERY_S  # away, or another user's keys are not ours to read
        for queue, count in zip(queues, counts, strict=True):
            if count:
                self._reported.add(queue)
                _log.warning(
                    "stray_messages",
                    queue=queue,
                    count=count,
                    hint="dramatiq.brokers.redis.RedisBroker has put them there, and no worker of "
                    "Penstock looks there; send by runtime.broker.PenstockBroker",
                )
        return _EVERY_S
