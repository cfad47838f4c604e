"""The worker's heartbeat: it extends leases, keeps the worker listed, and brings orders.

    heartbeat ──reply──► again, `interval_s` after the last one began
        └──Redis is away──► again after 0.25 s
    wait for an order ──order, or 10 s──► wait again ──Redis is away──► wait again after 0.25 s

The reply says which attempts have lost their leases, which are cancelled, which queues exist and
whether this worker is the publisher. Orders come on the worker's control list, read by a BLPOP on
a connection of its own; an order that is popped as the worker is killed is lost. When Redis comes
back after an outage, no lease is taken over until workers have had time for a heartbeat.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import structlog

from runtime.broker.attempt import Attempt
from runtime.broker.in_flight import InFlight
from runtime.errors import StoreError
from runtime.loop import Loop
from runtime.store.error_counters import REDIS_ERRORS
from runtime.store.invocation_commands import HeartbeatReply, heartbeat
from runtime.store.loop_connection import LoopConnection
from runtime.store.metrics_commands import add_errors
from runtime.store.reconnection import AWAY_PAUSE_S

_log = structlog.get_logger(__name__)
_ORDERS_BLOCK_S = 10.0


class Heartbeat:
    """Sends heartbeats from `start` until `stop`, in the loop thread.

    Args:
        loop: The worker's loop.
        connection: The connection to send heartbeats on.
        orders: A connection that nothing else uses, since it blocks.
        worker: This worker's id.
        lease_ms: How long a lease lasts after a heartbeat.
        interval_s: Time between heartbeats; several must fit in a lease.
        in_flight: The attempts that the worker holds.
        describe: Returns what `GET /workers` shows of this worker, as JSON.
        on_pulse: Called with each reply, and what was held when the heartbeat was sent.
        on_order: Called with each order for this worker.
        may_publish: Returns 0, 1 or 2, see `invocation_commands.heartbeat`.
    """

    def __init__(  # noqa: PLR0913 - what a heartbeat sends, and what its reply changes
        self,
        loop: Loop,
        connection: LoopConnection,
        orders: LoopConnection,
        *,
        worker: str,
        lease_ms: int,
        interval_s: float,
        in_flight: InFlight,
        describe: Callable[[], bytes],
        on_pulse: Callable[[HeartbeatReply, Sequence[Attempt]], object],
        on_order: Callable[[bytes], object],
        may_publish: Callable[[], int],
    ) -> None:
        self._loop = loop
        self._connection = connection
        self._orders = orders
        self._worker = worker
        self._lease_ms = lease_ms
        self._interval_s = interval_s
        self._in_flight = in_flight
        self._describe = describe
        self._on_pulse = on_pulse
        self._on_order = on_order
        self._may_publish = may_publish
        self._control = orders.keys.build("control", worker)
        self._is_stopped = False

    def start(self, on_first: Callable[[], object]) -> None:
        """Send the first heartbeat; call `on_first` after its reply, once Redis is there."""
        self._on_first: Callable[[], object] | None = on_first
        self._beat()
        self._listen()

    def stop(self) -> None:
        """Send no more heartbeats and take no more orders."""
        self._is_stopped = True
        self._orders.close()

    def _beat(self) -> None:
        if self._is_stopped:
            return
        try:
            self._ask()
        except Exception:
            # Whatever `describe` raises, the leases must be extended: try again.
            self._loop.call_later(self._interval_s, self._beat)
            raise

    def _ask(self) -> None:
        began_at = time.monotonic()
        held = self._in_flight.held()
        call = heartbeat(
            worker=self._worker,
            lease_ms=self._lease_ms,
            worker_ttl_ms=3 * self._lease_ms,
            may_publish=self._may_publish(),
            details=self._describe(),
            held=[(attempt.claimed.id, attempt.claimed.token) for attempt in held],
        )
        self._connection.run(call, lambda pulse: self._receive(began_at, held, pulse))

    def _receive(
        self, began_at: float, held: Sequence[Attempt], pulse: HeartbeatReply | StoreError
    ) -> None:
        if self._is_stopped:
            return
        if isinstance(pulse, StoreError):
            self._loop.call_later(min(AWAY_PAUSE_S, self._interval_s), self._beat)
            _log.warning("heartbeat_missed", error=str(pulse))
            return
        # Before the callbacks, so that one that raises does not end the heartbeat.
        self._loop.call_at(began_at + self._interval_s, self._beat)
        try:
            self._log_redis_errors()
            self._on_pulse(pulse, held)
        finally:
            if self._on_first is not None:
                on_first, self._on_first = self._on_first, None
                on_first()

    def _log_redis_errors(self) -> None:
        """Add this process's Redis errors to the counts of all processes."""
        counts = REDIS_ERRORS.take()
        if counts:

            def received(reply: object) -> None:
                if isinstance(reply, StoreError):
                    REDIS_ERRORS.restore(counts)

            self._connection.run(add_errors(counts), received)

    def _listen(self) -> None:
        if not self._is_stopped:
            self._orders.block([self._control], timeout_s=_ORDERS_BLOCK_S, receive=self._obey)

    def _obey(self, found: tuple[str, bytes] | StoreError | None) -> None:
        if isinstance(found, StoreError):
            self._loop.call_later(AWAY_PAUSE_S, self._listen)
            return
        self._listen()  # before the callback, so that one that raises does not end the wait
        if found is not None:
            self._on_order(found[1])
