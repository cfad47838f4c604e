"""The worker's heartbeat: its leases, and its name on the list.

One script call every `interval_s`. Its answer tells which attempts this worker has
lost, which queues there are, and whether this worker is the one that publishes
functions. Between beats it waits for orders on the worker's control list.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from runtime.broker.holdings import Holdings
from runtime.errors import StoreError
from runtime.store.invocation_calls import Pulse, heartbeat
from runtime.store.line import Line
from runtime.store.metrics_calls import add_errors
from runtime.store.trouble import TROUBLE
from runtime.telemetry.lasting import lasting_thread

_log = structlog.get_logger(__name__)
_AWAY_PAUSE_S = 0.25
_SHORTEST_WAIT_S = 0.001
_INTERRUPT_S = 0.05


class Heart:
    """A thread that beats from `start` until `stop`.

    Args:
        line: A connection of its own, since it blocks.
        worker: This worker's id.
        lease_ms: How long a lease lasts from a beat on.
        interval_s: Time between beats; several must fit in a lease.
        holdings: What the worker has in hand.
        describe: Returns what GET /workers shows of this worker, as JSON.
        on_pulse: Called with each answer; must not block for long.
        on_order: Called with each order for this worker; must not block for long.
        may_publish: Returns how much this worker may publish, see `heartbeat`.
    """

    def __init__(  # noqa: PLR0913 - what a beat tells and what its answer moves
        self,
        *,
        line: Line,
        worker: str,
        lease_ms: int,
        interval_s: float,
        holdings: Holdings,
        describe: Callable[[], bytes],
        on_pulse: Callable[[Pulse], None],
        on_order: Callable[[bytes], None],
        may_publish: Callable[[], int],
    ) -> None:
        self._line = line
        self._worker = worker
        self._lease_ms = lease_ms
        self._interval_s = interval_s
        self._holdings = holdings
        self._describe = describe
        self._on_pulse = on_pulse
        self._on_order = on_order
        self._may_publish = may_publish
        self._orders = line.keys.build("control", worker)
        self._stopped = threading.Event()
        self._thread = lasting_thread(self._beat_for_ever, name="heart")

    def beat(self) -> None:
        """Beat once, now.

        Raises:
            StoreError: Redis is away.
        """
        attempts = self._holdings.held()
        pulse = self._line.run(
            heartbeat(
                worker=self._worker,
                lease_ms=self._lease_ms,
                worker_ttl_ms=3 * self._lease_ms,
                may_publish=self._may_publish(),
                details=self._describe(),
                held=[(a.claimed.id, a.claimed.token) for a in attempts],
            )
        )
        self._tell_trouble()
        if pulse.lost:
            for attempt in attempts:
                attempt.is_lost |= attempt.claimed.id in pulse.lost
        self._on_pulse(pulse)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Stop beating; safe to call twice."""
        self._stopped.set()
        while self._thread.is_alive():
            self._line.close()  # it may block there
            self._thread.join(_INTERRUPT_S)

    def _tell_trouble(self) -> None:
        """Carry this process's errors of Redis over to the counts of all processes."""
        counts = TROUBLE.take()
        if counts:
            try:
                self._line.run(add_errors(counts))
            except StoreError:
                TROUBLE.give_back(counts)

    def _beat_for_ever(self) -> None:
        beats_at = time.monotonic() + self._interval_s
        while not self._stopped.is_set():
            left_s = beats_at - time.monotonic()
            try:
                if left_s > 0:
                    self._wait_for_order(left_s)
                    continue
                beats_at = time.monotonic() + self._interval_s
                self.beat()
            except StoreError as error:
                if left_s <= 0 and not self._stopped.is_set():
                    _log.warning("heartbeat_missed", error=str(error))
                self._stopped.wait(min(_AWAY_PAUSE_S, self._interval_s))
            except Exception:  # noqa: BLE001 - outermost: the heart must go on
                _log.exception("heartbeat_failed")

    def _wait_for_order(self, timeout_s: float) -> None:
        found = self._line.block([self._orders], timeout_s=max(_SHORTEST_WAIT_S, timeout_s))
        if found is not None:
            self._on_order(found[1])
