"""The Redis errors of this process, counted until they are added to the totals in Redis.

Connections count them. A worker's heartbeat and a gateway's reporter add the counts to the shared
statistics once Redis is available. Crashes of background threads and tasks go the same way.
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
    """Errors of one process that have not been reported yet; safe for all its threads.

    Put `with REDIS_ERRORS:` around whatever talks to Redis.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Kind] = Counter()

    def __enter__(self) -> None:
        """Begin to watch for errors."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Count a StoreError, and let it propagate."""
        if isinstance(error, StoreError):
            self.count(error)

    def count(self, error: StoreError) -> None:
        """Count an error that was caught, where `with` would cost too much."""
        with self._lock:
            self._counts[_kind_of(error)] += 1

    def take(self) -> dict[Kind, int]:
        """Return the counts and reset them; call `restore` if they could not be reported."""
        with self._lock:
            counts, self._counts = dict(self._counts), Counter()
        if crashes := CRASHES.take():
            counts["crash"] = counts.get("crash", 0) + crashes
        return counts

    def restore(self, counts: dict[Kind, int]) -> None:
        """Add back counts that could not be reported."""
        with self._lock:
            self._counts.update(counts)


def _kind_of(error: StoreError) -> Kind:
    if isinstance(error, StoreUnavailableError):
        return "unavailable"
    return "refused" if isinstance(error, StoreRefusedError) else "other"


REDIS_ERRORS = RedisErrors()
