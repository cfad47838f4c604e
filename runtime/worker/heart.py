"""The worker's heartbeat: its leases, its name on the list, and the care for others'.

One script call every `interval_s`. Its answer tells which attempts this worker has
lost, which queues there are, and whether this worker is the one that publishes
functions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from runtime.broker.holdings import Holdings
from runtime.errors import StoreError
from runtime.store.invocation_calls import Pulse, heartbeat
from runtime.store.line import Line

_log = structlog.get_logger(__name__)


class Heart:
    """A thread that beats from `start` until `stop`.

    Args:
        line: A connection of its own.
        worker: This worker's id.
        lease_ms: How long a lease lasts from a beat on.
        interval_s: Time between beats; several must fit in a lease.
        holdings: What the worker has in hand.
        describe: Returns what GET /workers shows of this worker, as JSON.
        can_publish: Whether this worker may publish functions.
        on_pulse: Called with each answer; must not block for long.
    """

    def __init__(
        self,
        *,
        line: Line,
        worker: str,
        lease_ms: int,
        interval_s: float,
        holdings: Holdings,
        describe: Callable[[], bytes],
        can_publish: bool,
        on_pulse: Callable[[Pulse], None],
    ) -> None:
        self._line = line
        self._worker = worker
        self._lease_ms = lease_ms
        self._interval_s = interval_s
        self._holdings = holdings
        self._describe = describe
        self._can_publish = can_publish
        self._on_pulse = on_pulse
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat_for_ever, name="heart", daemon=True)

    def beat(self) -> None:
        """Beat once, now.

        Raises:
            StoreError: Redis is away.
        """
        held = [(a.claimed.id, a.claimed.token) for a in self._holdings.held()]
        pulse = self._line.run(
            heartbeat(
                worker=self._worker,
                lease_ms=self._lease_ms,
                worker_ttl_ms=3 * self._lease_ms,
                can_publish=self._can_publish,
                details=self._describe(),
                held=held,
            )
        )
        if pulse.taken_over:
            _log.warning("attempts_taken_over", count=pulse.taken_over)
        self._on_pulse(pulse)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Stop beating; safe to call twice."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _beat_for_ever(self) -> None:
        while not self._stopped.wait(self._interval_s):
            try:
                self.beat()
            except StoreError as error:
                _log.warning("heartbeat_missed", error=str(error))
            except Exception:  # noqa: BLE001 - outermost: the heart must go on
                _log.exception("heartbeat_failed")
