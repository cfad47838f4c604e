"""Messages that lie where Dramatiq's own Redis broker puts them, and where nobody here looks.

Whoever points that broker at our Redis loses what is sent, without an error: its keys are not ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.store.scripts import Command

_NAMESPACE = "dramatiq"  # what dramatiq.brokers.redis.RedisBroker uses if nothing is said


def count_stray_messages(queues: Sequence[str]) -> list[Command[int]]:
    """Return one call for each queue: how many messages of another broker lie in it."""
    return [Command(("HLEN", f"{_NAMESPACE}:{queue}.msgs"), int) for queue in queues]
