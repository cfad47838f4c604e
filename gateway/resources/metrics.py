"""GET /metrics: what Prometheus scrapes, of the whole system, whichever process answers."""

from __future__ import annotations

import structlog
from falcon.asgi import Request, Response

from gateway.directory import FunctionDirectory
from runtime.errors import StoreError
from runtime.store.metrics_calls import Figures, read_metrics
from runtime.store.multiplexer import Multiplexer

_log = structlog.get_logger(__name__)


class Metrics:
    """The shared records as metrics; answers 200 even without Redis, and says so."""

    def __init__(self, store: Multiplexer, directory: FunctionDirectory) -> None:
        self._store = store
        self._directory = directory

    async def on_get(self, req: Request, resp: Response) -> None:
        """Read everything in one round trip and write it down."""
        from gateway.metrics_exposition import expose  # noqa: PLC0415 - where somebody scrapes

        manifests = self._directory.manifests
        figures: Figures | None = None
        try:
            figures = await self._store.run(read_metrics(tuple(manifests)))
        except StoreError as error:
            _log.warning("metrics_unread", reason=str(error))
        resp.data, resp.content_type = expose(figures, manifests, req.get_header("Accept") or "")
