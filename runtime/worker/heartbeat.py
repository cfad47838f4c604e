"""The worker's heartbeat: its leases, its name on the list, and the orders for it.

One script call every `interval_s`. Its answer tells which attempts this worker has lost, which
queues there are, and whether this worker is the one that publishes functions. Orders come on the
worker's control list, at which Redis waits on a connection of its own.
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

_log = structlog.get_logger(__name__)
_AWAY_PAUSE_S = 0.25
_ORDERS_BLOCK_S = 10.0


class Heartbeat:
    """Beats from `start` until `stop`, on the worker's loop.

    Args:
        loop: The worker's.
        line: Where to say that it lives.
        orders: A connection of its own, on which Redis waits for orders.
        worker: This worker's id.
        lease_ms: How long a lease lasts from a beat on.
        interval_s: Time between beats; several must fit in a lease.
        in_flight: What the worker has in hand.
        describe: Returns what GET /workers shows of this worker, as JSON.
        on_pulse: Called with each answer, and what was held when it was asked for.
        on_order: Called with each order for this worker.
        may_publish: Returns how much this worker may publish, see `heartbeat`.
    """

    def __init__(  # noqa: PLR0913 - what a beat tells and what its answer moves
        self,
        loop: Loop,
        line: LoopConnection,
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
        self._line = line
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
        """Begin to beat; `on_first` is called when Redis has answered for the first time."""
        self._on_first: Callable[[], object] | None = on_first
        self._beat()
        self._listen()

    def stop(self) -> None:
        """Stop beating."""
        self._is_stopped = True
        self._orders.close()

    def _beat(self) -> None:
        if self._is_stopped:
            return
        try:
            self._ask()
        except Exception:
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
        self._line.run(call, lambda pulse: self._receive(began_at, held, pulse))

    def _receive(
        self, began_at: float, held: Sequence[Attempt], pulse: HeartbeatReply | StoreError
    ) -> None:
        if self._is_stopped:
            return
        if isinstance(pulse, StoreError):
            self._loop.call_later(min(_AWAY_PAUSE_S, self._interval_s), self._beat)
            _log.warning("heartbeat_missed", error=str(pulse))
            return
        self._loop.call_at(began_at + self._interval_s, self._beat)
        try:
            self._log_redis_errors()
            self._on_pulse(pulse, held)
        finally:
            if self._on_first is not None:
                on_first, self._on_first = self._on_first, None
                on_first()

    def _log_redis_errors(self) -> None:
        """Carry this process's errors of Redis over to the counts of all processes."""
        counts = REDIS_ERRORS.take()
        if counts:

            def received(reply: object) -> None:
                if isinstance(reply, StoreError):
                    REDIS_ERRORS.restore(counts)

            self._line.run(add_errors(counts), received)

    def _listen(self) -> None:
        if not self._is_stopped:
            self._orders.block([self._control], timeout_s=_ORDERS_BLOCK_S, receive=self._obey)

    def _obey(self, found: tuple[str, bytes] | StoreError | None) -> None:
        if isinstance(found, StoreError):
            self._loop.call_later(_AWAY_PAUSE_S, self._listen)
            return
        self._listen()
        if found is not None:
            self._on_order(found[1])
