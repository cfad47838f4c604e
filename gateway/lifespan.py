"""What a gateway process starts when it starts and stops when it stops (the ASGI lifespan).

Used by `gateway.app`. `ErrorReporter` adds this process's Redis errors and crashes to the counters
in Redis that all processes share.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from typing import Any

from gateway.auth.key_check import KeyCache
from gateway.live.manifest_cache import ManifestCache
from gateway.live.subscriber import Subscriber
from runtime.errors import StoreError
from runtime.store.async_connection import AsyncConnection
from runtime.store.error_counters import REDIS_ERRORS
from runtime.store.metrics_commands import add_errors
from runtime.telemetry.background import lasting_task
from runtime.telemetry.tracing import Tracer

EVERY_S = 2.0
_YOUNG_OBJECTS = 10_000


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


class Lifespan:
    """Starts and stops what lives as long as the process (ASGI lifespan)."""

    def __init__(
        self,
        store: AsyncConnection,
        manifest_cache: ManifestCache,
        subscriber: Subscriber,
        errors: ErrorReporter,
        key_cache: KeyCache,
    ) -> None:
        self._store = store
        self._manifest_cache = manifest_cache
        self._subscriber = subscriber
        self._errors = errors
        self._key_cache = key_cache

    async def process_startup(self, scope: dict[str, Any], event: dict[str, Any]) -> None:  # noqa: ARG002
        """Subscribe and read the manifests; if Redis does not answer, both retry later."""
        _tune_gc()
        self._subscriber.start()
        await self._manifest_cache.start()
        self._errors.start()

    async def process_shutdown(self, scope: dict[str, Any], event: dict[str, Any]) -> None:  # noqa: ARG002
        """Stop the background loops, then disconnect."""
        # The connection comes last: the key cache writes the last uses of keys when it stops.
        await self._errors.stop()
        await self._key_cache.stop()
        await self._manifest_cache.stop()
        await self._subscriber.stop()
        await self._store.close()


class TracerLifespan:
    """Falcon middleware that has a tracer export its remaining spans when the process stops."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    async def process_shutdown(self, scope: dict[str, Any], event: dict[str, Any]) -> None:  # noqa: ARG002
        """Stop the tracer, in a thread because exporting blocks."""
        await asyncio.to_thread(self._tracer.stop)


def _tune_gc() -> None:
    """Make garbage collections rare, and limit them to what requests leave behind.

    Objects that live as long as the process are never collected. Some forty objects of each
    request in flight are alive at a time, so the default threshold (700) is reached at once, and
    each collection finds nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 10, 10)
