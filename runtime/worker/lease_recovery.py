"""Recover invocations: take over expired leases, expire what waited too long, complete batches.

Every worker does so once per heartbeat interval, for 0.1 s at most, so that Redis stays free for
other commands. A lease expires when its worker sends no heartbeat for `lease_ms`. What becomes of
each invocation is decided in `runtime/store/lua/recover_invocations.lua`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.recovery_commands import recount_running, recover
from runtime.store.submission_commands import join_batch
from runtime.telemetry.lifecycle_log import LifecycleEvent, log_events
from runtime.worker.maintenance import RoundTask

_LONGEST_ROUND_S = 0.1


class TakeOver(RoundTask):
    """Recovers in the maintenance thread, one script at each step.

    Args:
        connection: The connection of the maintenance thread.
        lease_ms: How long a lease lasts after a heartbeat.
        interval_s: Time from the end of a round to the next.
    """

    def __init__(self, connection: BlockingConnection, *, lease_ms: int, interval_s: float) -> None:
        self._connection = connection
        self._lease_ms = lease_ms
        self._interval_s = interval_s

    def _round(self) -> Iterator[float]:
        ends_at = time.monotonic() + _LONGEST_ROUND_S
        for _ in self._look_after():
            if time.monotonic() >= ends_at:
                break
            yield 0.0
        yield self._interval_s

    def _look_after(self) -> Iterator[None]:
        """Recover until nothing is left; yield after each script."""
        has_more = True
        while has_more:
            care = self._connection.run(recover(lease_ms=self._lease_ms))
            taken, expired = "invocation_taken_over", "invocation_expired"
            log_events(
                [
                    LifecycleEvent(event=taken, id=one, status=status)
                    for one, status in care.taken_over
                ]
            )
            log_events([LifecycleEvent(event=expired, id=one) for one in care.expired])
            has_more = care.has_more
            yield
            if care.is_miscounted:
                self._connection.run(recount_running())
                yield
            for batch in care.unjoined:
                while self._connection.run(join_batch(batch)):
                    yield
