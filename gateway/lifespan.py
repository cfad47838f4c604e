"""Carries this gateway's errors of Redis over to the counts of all processes."""

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
    """A look every few seconds, which costs Redis nothing while there is no trouble."""

    def __init__(self, store: AsyncConnection) -> None:
        self._store = store
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the running loop."""
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
            except StoreError:
                REDIS_ERRORS.restore(counts)
