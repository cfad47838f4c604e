"""How often Redis failed this process, until that is told to Redis itself.

Connections count; a worker's heart and a gateway's reporter carry the counts over to
the statistics that all share, once Redis is there to take them. Crashes of what shall live as
long as a process go the same way.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Literal

from runtime.errors import StoreError, StoreRefusedError, StoreUnavailableError
from runtime.telemetry.background import CRASHES

Kind = Literal["unavailable", "refused", "other", "crash"]
KINDS: tuple[Kind, ...] = ("unavailable", "refused", "other")


class RedisErrors:
    """The errors of one process that have not been told yet; safe for all its threads.

    `with TROUBLE:` goes around whatever talks to Redis.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Kind] = Counter()

    def __enter__(self) -> None:
        """Begin to talk to Redis."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Count what went wrong, if it did, and let it pass."""
        if isinstance(error, StoreError):
            self.count(error)

    def count(self, error: StoreError) -> None:
        """Count an error that was caught; for where `with` would cost too much."""
        with self._lock:
            self._counts[_kind_of(error)] += 1

    def take(self) -> dict[Kind, int]:
        """Return the counts and begin anew; `restore` them if they could not be told."""
        with self._lock:
            counts, self._counts = dict(self._counts), Counter()
        if crashes := CRASHES.take():
            counts["crash"] = counts.get("crash", 0) + crashes
        return counts

    def restore(self, counts: dict[Kind, int]) -> None:
        """Take back what could not be told."""
        with self._lock:
            self._counts.update(counts)


def _kind_of(error: StoreError) -> Kind:
    if isinstance(error, StoreUnavailableError):
        return "unavailable"
    return "refused" if isinstance(error, StoreRefusedError) else "other"


REDIS_ERRORS = RedisErrors()
