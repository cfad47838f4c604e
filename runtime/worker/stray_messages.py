"""Warn about messages of Dramatiq's own Redis broker in this Redis, which no worker reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from runtime.errors import StoreError
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.system_commands import count_stray_messages

_log = structlog.get_logger(__name__)
_EVERY_S = 30.0


class StrayMessageWarning:
    """Looks for such messages every 30 s and logs each queue once.

    Args:
        connection: The connection of the maintenance thread.
        queues: Returns the names of the queues to look for.
    """

    def __init__(self, connection: BlockingConnection, queues: Callable[[], Sequence[str]]) -> None:
        self._connection = connection
        self._queues = queues
        self._reported: set[str] = set()

    def step(self) -> float:
        """Look once; return the seconds until the next look. Errors of Redis are ignored."""
        queues = [queue for queue in self._queues() if queue not in self._reported]
        try:
            counts = self._connection.run_many(count_stray_messages(queues)) if queues else []
        except StoreError:
            return _EVERY_S  # Redis is away, or denies access to those keys
        for queue, count in zip(queues, counts, strict=True):
            if count:
                self._reported.add(queue)
                _log.warning(
                    "stray_messages",
                    queue=queue,
                    count=count,
                    hint="sent by dramatiq.brokers.redis.RedisBroker, whose messages no worker of "
                    "Penstock reads; send with runtime.broker.PenstockBroker",
                )
        return _EVERY_S
