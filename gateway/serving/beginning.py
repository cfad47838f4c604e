"""How a request begins: without the application, if it may be taken so, or as a coroutine of it.

Used by one connection. What may be taken is held until its body is whole.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from gateway.serving.exchange import Application, Exchange, Sink
from gateway.serving.held_bodies import HeldBodies
from gateway.serving.known_heads import KnownHead, KnownHeads
from gateway.serving.parsing import Scope

_log = logging.getLogger("uvicorn.error")


class Beginnings:
    """Makes and begins the exchanges of one connection.

    Args:
        sink: The connection.
        application: Answers what is not taken.
        app_state: Of ASGI: what the application shares with its requests.
        tasks: Where its coroutines are noted while they run.
        heads: Which requests may be taken; None for none.
        most_held_bytes: A body that has grown so long is not held, whole or not.
        bodies: What the process holds of bodies, all connections together.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        application: Application,
        app_state: dict[str, Any],
        tasks: set[asyncio.Task[None]],
        heads: KnownHeads | None,
        most_held_bytes: int,
        bodies: HeldBodies | None = None,
    ) -> None:
        self._sink = sink
        self._application = application
        self._loop = asyncio.get_running_loop()
        self._tasks = tasks
        self._of_all: Scope = {"state": app_state}
        self._heads = heads
        self._most_held_bytes = most_held_bytes
        self._bodies = bodies

    def meet(self, transport: asyncio.Transport) -> None:
        """Note what belongs into every scope of this connection."""
        self._of_all["server"] = get_local_addr(transport)
        self._of_all["client"] = get_remote_addr(transport)
        self._of_all["scheme"] = "https" if is_ssl(transport) else "http"

    def make(self, scope: Scope, *, keep_alive: bool, expects_continue: bool) -> Exchange:
        """Return the exchange of a request whose head has been read."""
        take = None
        if self._heads is not None and not expects_continue:
            take = self._heads.judge(scope)
        return Exchange(
            scope,
            self._sink,
            keep_alive=keep_alive,
            expects_continue=expects_continue,
            take=take,
            bodies=self._bodies,
        )

    def make_known(self, head: KnownHead, body: bytes, *, stopping: bool) -> Exchange:
        """Return the exchange of a request that came whole, and whose head is known."""
        keep_alive = head.keep_alive and not stopping
        exchange = Exchange(head.scope, self._sink, keep_alive=keep_alive, take=head.take)
        exchange.feed_whole(body)
        return exchange

    def begin(self, exchange: Exchange) -> None:
        """Begin a request, or hold it for now; call again when more of its body has come."""
        if exchange.is_begun:
            return
        take = exchange.take
        if take is not None:
            if exchange.body_complete:
                exchange.is_begun = True
                try:
                    if take(exchange):
                        return
                except Exception:  # noqa: BLE001 - the outermost frame of a request
                    _log.exception("a request could not be taken")
                    exchange.fail()  # perhaps half of it is done, so nobody does it again
                    return
            elif exchange.unread_bytes <= self._most_held_bytes:
                return
        self.serve(exchange)

    def serve(self, exchange: Exchange) -> None:
        """Have the application answer."""
        exchange.is_begun = True
        if exchange.take is not None:  # others may know it, too
            exchange.scope = dict(exchange.scope)
        exchange.scope.update(self._of_all)
        task = self._loop.create_task(exchange.run(self._application))
        exchange.task = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
