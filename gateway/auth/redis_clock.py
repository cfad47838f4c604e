"""Redis's clock, as a gateway process knows it: expiry and signatures are checked by it.

The clocks of the machines do not matter. Redis's time is estimated from its last report and the
monotonic clock of the process.
"""

from __future__ import annotations

import asyncio

from runtime.store.async_connection import AsyncConnection
from runtime.store.statistics_commands import read_clock

_TRUSTED_S = 60.0


class RedisClock:
    """Estimates Redis's time.

    Args:
        store: The connection to Redis.
        trusted_s: How long a report is good enough for `ask`.
    """

    def __init__(self, store: AsyncConnection, *, trusted_s: float = _TRUSTED_S) -> None:
        self._store = store
        self._trusted_s = trusted_s
        self._ahead_ms = 0.0
        self._noted_at: float | None = None

    def note(self, now_ms: int) -> None:
        """Update the offset; `now_ms` is the time that Redis has just reported."""
        self._noted_at = asyncio.get_running_loop().time()
        self._ahead_ms = now_ms - self._noted_at * 1000

    def now_ms(self) -> int:
        """Return the time by Redis's clock, estimated from its last report."""
        return round(asyncio.get_running_loop().time() * 1000 + self._ahead_ms)

    async def ask(self) -> int:
        """Return the same, but ask Redis if it has reported nothing lately.

        Raises:
            StoreError: Redis is needed and not available.
        """
        noted_at = self._noted_at
        if noted_at is None or asyncio.get_running_loop().time() - noted_at > self._trusted_s:
            self.note(await self._store.run(read_clock()))
        return self.now_ms()
