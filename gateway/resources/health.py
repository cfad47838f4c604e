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
    """GET /readyz: for everybody, so only an open gateway says more than whether."""

    def __init__(
        self, store: Multiplexer, directory: FunctionDirectory, *, tells_details: bool
    ) -> None:
        self._store = store
        self._directory = directory
        self._tells_details = tells_details

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Answer 200 when Redis answers within a second and functions are published."""
        try:
            async with asyncio.timeout(_LONGEST_S):
                await self._store.run(_PING)
        except (StoreError, TimeoutError) as error:
            why = str(error) or f"nothing within {_LONGEST_S:g} s"
            said = f"Redis does not answer: {why}." if self._tells_details else "Not ready."
            raise ProblemError("not_ready", said) from error
        count = sum(bool(manifest.version) for manifest in self._directory.manifests.values())
        if not count:
            raise ProblemError(
                "not_ready",
                "No functions are published yet." if self._tells_details else "Not ready.",
            )
        resp.content_type = "application/json"
        if self._tells_details:
            resp.data = b'{"status":"ready","functions":%d}' % count
        else:
            resp.data = b'{"status":"ready"}'
