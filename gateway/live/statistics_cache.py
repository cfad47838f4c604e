"""The statistics of the last minutes, as this gateway process has read them.

A minute that is over never changes, so it is read once; after that, a request reads only the
clock and the current minute. At most 60 minutes are read at once, because all requests share the
connection.
"""

from __future__ import annotations

from gateway.routing.dashboard_routes import MOST_MINUTES
from runtime.invocations.statistics import OutcomeCounts, tallies_of
from runtime.store.async_connection import AsyncConnection
from runtime.store.statistics_commands import read_clock, read_minute

MINUTE_MS = 60_000
_AT_ONCE = 60

Minute = dict[str, OutcomeCounts]


class StatisticsCache:
    """Counts of outcomes by function, for each minute."""

    def __init__(self, store: AsyncConnection) -> None:
        self._store = store
        self._closed: dict[int, Minute] = {}

    async def read(self, count: int) -> tuple[int, list[Minute]]:
        """Return the number of the current minute since the epoch, and the last `count` minutes.

        The minutes come oldest first; the current one is the last.

        Raises:
            StoreError: Redis does not answer, or answers with an error.
        """
        current = await self._store.run(read_clock()) // MINUTE_MS
        first = current - count + 1
        known = {
            minute: self._closed[minute]
            for minute in range(first, current)
            if minute in self._closed
        }
        missing = [minute for minute in range(first, current + 1) if minute not in known]
        for start in range(0, len(missing), _AT_ONCE):
            part = missing[start : start + _AT_ONCE]
            found = await self._store.run_many([read_minute(minute) for minute in part])
            known.update(zip(part, map(tallies_of, found), strict=True))
        self._keep(known, current)
        return current, [known[minute] for minute in range(first, current + 1)]

    def _keep(self, read: dict[int, Minute], current: int) -> None:
        kept = {**self._closed, **read}
        kept.pop(current, None)
        self._closed = {m: tallies for m, tallies in kept.items() if m > current - MOST_MINUTES}
