"""GET /system/logs of OpenFaaS: what a function prints, as lines of JSON."""

from __future__ import annotations

import time
from collections.abc import Callable

from falcon.asgi import Request, Response

from gateway.asgi.application import IS_HEAD
from gateway.auth.caller import caller_of
from gateway.live.event_streams import EventStreams
from gateway.live.function_logs import FunctionLog
from gateway.live.log_stream import OF_FUNCTIONS, LogStream
from gateway.live.manifest_cache import ManifestCache
from gateway.parsing.function_names import NAMESPACE, find_name, is_namespace
from gateway.parsing.log_query import read_log_query
from gateway.problems import ProblemError
from gateway.resources.events import no_pieces, reader_of
from runtime.errors import UnknownFunctionError
from runtime.store.async_connection import AsyncConnection

MOST_FOLLOWED = 50


class OpenFaasLogs:
    """GET /system/logs.

    Args:
        store: The connection to Redis.
        manifest_cache: The published functions.
        streams: The open streams of the process.
        now_ms: Returns the time by Redis's clock, which decides when a key expires.
    """

    def __init__(
        self,
        store: AsyncConnection,
        manifest_cache: ManifestCache,
        streams: EventStreams,
        *,
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._manifest_cache = manifest_cache
        self._streams = streams
        self._now_ms = now_ms

    async def on_get(self, req: Request, resp: Response) -> None:
        """Send the last lines and, if the client follows, each line that comes."""
        query = read_log_query(req.query_string)
        if not is_namespace(query.namespace):
            raise UnknownFunctionError(f"The only namespace is {NAMESPACE}.")
        name = find_name(self._manifest_cache.manifests, query.name) or query.name
        manifest = await self._manifest_cache.find(name)
        if query.is_followed and self._streams.count_of(OF_FUNCTIONS) >= MOST_FOLLOWED:
            raise ProblemError(
                "rate_limited",
                f"{MOST_FOLLOWED} clients follow functions at this gateway process already.",
            )
        log = FunctionLog(
            self._store,
            manifest.name,
            clock=lambda: time.time_ns() // 1_000_000,
            instance=query.instance,
            since_ms=query.since_ms,
        )
        lines = await log.read_last(query.tail)
        resp.content_type = "application/x-ndjson"
        resp.set_header("X-Accel-Buffering", "no")
        resp.stream = (
            no_pieces()
            if req.scope[IS_HEAD]
            else LogStream(
                self._streams,
                log,
                lines,
                name=manifest.name,
                is_followed=query.is_followed,
                reader=reader_of(caller_of(req.scope), self._now_ms()),
            )
        )
