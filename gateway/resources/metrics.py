"""GET /metrics: Prometheus metrics of the whole system, the same from every gateway process."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import replace

import structlog
from falcon.asgi import Request, Response

from gateway.live.manifest_cache import ManifestCache
from gateway.live.worker_details import WorkerDetails, read_details
from runtime.errors import StoreError
from runtime.store.async_connection import AsyncConnection
from runtime.store.check_commands import StoredCheck, read_check
from runtime.store.metrics_commands import (
    MOST_FUNCTIONS,
    SystemMetrics,
    read_function_metrics,
    read_metrics,
)
from runtime.store.system_commands import read_workers

_log = structlog.get_logger(__name__)


class Metrics:
    """GET /metrics; answers 200 even without Redis, with `penstock_redis_up 0`."""

    def __init__(self, store: AsyncConnection, manifest_cache: ManifestCache) -> None:
        self._store = store
        self._manifest_cache = manifest_cache

    async def on_get(self, req: Request, resp: Response) -> None:
        """Read all figures in one round trip and write the text."""
        from gateway.metrics.exposition import expose  # noqa: PLC0415 - at the first scrape only

        manifests = self._manifest_cache.manifests
        figures, check, workers = None, None, None
        try:
            figures, check, workers = await self._read(tuple(manifests))
        except StoreError as error:
            _log.warning("metrics_unread", reason=str(error))
        resp.data, resp.content_type = expose(
            figures, manifests, req.get_header("Accept") or "", check=check, workers=workers
        )

    async def _read(
        self, functions: tuple[str, ...]
    ) -> tuple[SystemMetrics, StoredCheck | None, dict[str, WorkerDetails]]:
        """Read the functions in parts, so that no script grows with their number."""
        first, *others = [
            functions[start : start + MOST_FUNCTIONS]
            for start in range(0, max(1, len(functions)), MOST_FUNCTIONS)
        ]
        figures, check, workers, *more = await self._store.run_many(
            [
                *(read_metrics(first), read_check(most=0), read_workers()),
                *map(read_function_metrics, others),
            ]
        )
        counted = dict(ChainMap(*reversed(more), figures.functions))
        reported = {worker.id: read_details(worker) for worker in workers}
        return replace(figures, functions=counted), check, reported
