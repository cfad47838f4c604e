"""Adds this gateway's Redis errors and crashes to the counters in Redis that all processes share.

Used by `gateway.app`, which starts and stops it with the process.
"""

from __future__ import annotations

import asyncio
import contextlib

from runtime.errors import StoreError
from runtime.store.async_connection import AsyncConnection
from runtime.store.error_counters import REDIS_ERRORS
from runtime.store.metrics_commands import add_errors
from runtime.telemetry.background import lasting_task

EVERY_S = 2.0


class ErrorReporter:
    """Reports new errors every `EVERY_S` seconds; without any, it sends nothing to Redis."""

    def __init__(self, store: AsyncConnection) -> None:
        self._store = store
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start, in the running loop."""
        self._task = lasting_task(self._report_for_ever, name="trouble")

    async def stop(self) -> None:
        """Stop; safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _report_for_ever(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            counts = REDIS_ERRORS.take()
            if not counts:
                continue
            try:
                await self._store.run(add_errors(counts))
            except StoreError:  # still failing: report them the next time
                REDIS_ERRORS.restore(counts)
