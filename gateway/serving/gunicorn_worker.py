"""The gunicorn worker: uvicorn's server with our connections, and its tick as their clock.

The application provides `limits` for connections and `drain`, which ends long waits at shutdown.
It may provide `hosts`, the host names that requests may be for, `origins`, whose pages may read
refusals, and `bodies`, which limits how many bytes of request bodies the process holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import sys
from functools import partial
from typing import Any, cast

from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from uvicorn.server import Server
from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]

from gateway.serving.connection import Connection
from gateway.serving.dispatch import HeadCache

_TICKS_PER_SWEEP = 2


def _allow_many_connections() -> None:
    """Raise the limit on open files to the hard limit: every waiting caller holds one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class SweepingServer(Server):
    """Uvicorn's server, which also checks deadlines and calls the application's `drain`."""

    async def on_tick(self, counter: int) -> bool:
        """Check the deadlines five times a second (uvicorn calls this ten times a second)."""
        if counter % _TICKS_PER_SWEEP == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                cast("Connection", connection).sweep(now)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End long waits, then shut down."""
        # First: uvicorn's shutdown waits for all requests, including those of waiting callers.
        cast("Any", self.config.app).drain()
        await super().shutdown(sockets)


class GatewayWorker(UvicornWorker):  # type: ignore[misc]
    """One gateway process."""

    CONFIG_KWARGS: dict[str, Any] = {  # noqa: RUF012 - the parent's declaration
        "access_log": False,
        "headers": [("x-content-type-options", "nosniff")],
        "lifespan": "on",
        "loop": "auto",
        "proxy_headers": False,
        "server_header": False,
        "timeout_graceful_shutdown": 10,
        "ws": "none",
    }

    async def _serve(self) -> None:
        _allow_many_connections()
        application = self.wsgi
        self.config.app = application
        self.config.http = partial(
            Connection,
            limits=application.limits,
            heads=HeadCache(application.limits),
            hosts=getattr(application, "hosts", None),
            origins=getattr(application, "origins", None),
            bodies=getattr(application, "bodies", None),
        )
        server = SweepingServer(config=self.config)
        self._install_sigquit_handler()
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
