"""/livez and /readyz, for those who start, watch and route to gateways."""

from __future__ import annotations

import asyncio

from falcon.asgi import Request, Response

from gateway.directory import FunctionDirectory
from gateway.problems import ProblemError
from runtime.errors import StoreError
from runtime.store.multiplexer import Multiplexer
from runtime.store.scripts import Call

_LONGEST_S = 1.0
_PING: Call[object] = Call(("PING",), lambda reply: reply)


class Livez:
    """GET /livez: never touches Redis, so a Redis outage restarts no gateway."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Answer."""
        resp.content_type = "application/json"
        resp.data = b'{"status":"alive"}'


class Readyz:
    """GET /readyz."""

    def __init__(self, store: Multiplexer, directory: FunctionDirectory) -> None:
        self._store = store
        self._directory = directory

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Answer 200 when Redis answers within a second and functions are published."""
        try:
            async with asyncio.timeout(_LONGEST_S):
                await self._store.run(_PING)
        except (StoreError, TimeoutError) as error:
            why = str(error) or f"nothing within {_LONGEST_S:g} s"
            raise ProblemError("not_ready", f"Redis does not answer: {why}.") from error
        count = sum(bool(manifest.version) for manifest in self._directory.manifests.values())
        if not count:
            raise ProblemError("not_ready", "No functions are published yet.")
        resp.content_type = "application/json"
        resp.data = b'{"status":"ready","functions":%d}' % count
