"""How a request begins: its head is read or remembered, and the application is called.

A client that keeps its connection sends the same head again and again. What was parsed
once, between two messages, is not parsed anew: the same bytes say the same. A head that is another
one in each request, as with an idempotency key, only costs the look.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from gateway.serving.exchange import Application, Exchange, Sink
from gateway.serving.held_bodies import HeldBodies
from gateway.serving.parsing import HEADERS, Scope

_END = b"\r\n\r\n"
_LONGEST = 4096
_MOST_YOUNG = 256


class KnownHead(NamedTuple):
    """What a head says; its scope is shared by all requests that have it, so it is not changed."""

    scope: Scope
    keep_alive: bool
    body_bytes: int


class KnownHeads:
    """The heads that all connections of a process have seen.

    They are kept in two generations: what is asked for again moves into the young one, and when
    that is full the old one goes. So many heads that come once do not drive out those that stay.
    """

    def __init__(self) -> None:
        self._young: dict[bytes, KnownHead] = {}
        self._old: dict[bytes, KnownHead] = {}

    def recall(self, data: bytes) -> tuple[KnownHead, bytes] | None:
        """Return the head and the body if `data` is one whole request with a known head."""
        end = data.find(_END) + len(_END)
        head = data[:end]
        known = self._young.get(head)
        if known is None:
            known = self._old.get(head)
            if known is None:
                return None
            self._note(head, known)
        if len(data) - end != known.body_bytes:
            return None
        return known, data[end:]

    def learn(self, data: bytes, scope: Scope, *, keep_alive: bool) -> None:
        """Remember the head of a request; `data` was that one, no more and no less.

        Args:
            data: What came between two messages, and was parsed.
            scope: What its head says; shared from now on.
            keep_alive: Whether the client keeps the connection.
        """
        body_bytes = int(scope[HEADERS].get(b"content-length", b"0"))
        head = data[: len(data) - body_bytes]
        if len(head) <= _LONGEST and head.endswith(_END):
            self._note(head, KnownHead(scope, keep_alive, body_bytes))

    def _note(self, head: bytes, known: KnownHead) -> None:
        if len(self._young) >= _MOST_YOUNG:
            self._young, self._old = {}, self._young
        self._young[head] = known


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
