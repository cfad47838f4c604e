"""Messages that Dramatiq's own Redis broker has put into our Redis, where no worker reads them.

A client that uses that broker with our Redis loses what it sends, without an error.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.store.scripts import Command

_NAMESPACE = "dramatiq"  # the default of dramatiq.brokers.redis.RedisBroker


def count_stray_messages(queues: Sequence[str]) -> list[Command[int]]:
    """Return a command for each queue: how many messages of that broker are in it."""
    return [Command(("HLEN", f"{_NAMESPACE}:{queue}.msgs"), int) for queue in queues]
