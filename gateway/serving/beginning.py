"""How a request begins: as a coroutine of the application, which its connection knows of.

Used by one connection.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from gateway.serving.exchange import Application, Exchange, Sink
from gateway.serving.held_bodies import HeldBodies
from gateway.serving.known_heads import KnownHead
from gateway.serving.parsing import Scope


class Beginnings:
    """Makes and begins the exchanges of one connection.

    Args:
        sink: The connection.
        application: Answers.
        app_state: Of ASGI: what the application shares with its requests.
        tasks: Where its coroutines are noted while they run.
        bodies: What the process holds of bodies, all connections together.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        application: Application,
        app_state: dict[str, Any],
        tasks: set[asyncio.Task[None]],
        bodies: HeldBodies | None = None,
    ) -> None:
        self._sink = sink
        self._application = application
        self._loop = asyncio.get_running_loop()
        self._tasks = tasks
        self._of_all: Scope = {"state": app_state}
        self._bodies = bodies

    def meet(self, transport: asyncio.Transport) -> None:
        """Note what belongs into every scope of this connection."""
        self._of_all["server"] = get_local_addr(transport)
        self._of_all["client"] = get_remote_addr(transport)
        self._of_all["scheme"] = "https" if is_ssl(transport) else "http"

    def make(self, scope: Scope, *, keep_alive: bool, expects_continue: bool) -> Exchange:
        """Return the exchange of a request whose head has been read; others may share the scope."""
        return Exchange(
            scope | self._of_all,
            self._sink,
            keep_alive=keep_alive,
            expects_continue=expects_continue,
            bodies=self._bodies,
        )

    def make_known(self, head: KnownHead, body: bytes, *, stopping: bool) -> Exchange:
        """Return the exchange of a request that came whole, and whose head is known."""
        exchange = Exchange(
            head.scope | self._of_all, self._sink, keep_alive=head.keep_alive and not stopping
        )
        exchange.feed_whole(body)
        return exchange

    def begin(self, exchange: Exchange) -> None:
        """Have the application answer, unless it does already."""
        if exchange.task is None:
            task = self._loop.create_task(exchange.run(self._application))
            exchange.task = task
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
