"""Takes over what dead workers held, ends what waited too long, completes batches nobody joins.

Each worker does so once in a heartbeat. A script that fails, as where a key is damaged, ends the
round and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import structlog

from runtime.errors import StoreError, StoreUnavailableError
from runtime.store.aftercare_calls import Aftercare, look_after, recount_running
from runtime.store.line import Line
from runtime.store.submission_calls import join_batch
from runtime.telemetry.status_log import Change, tell

_log = structlog.get_logger(__name__)
_LONGEST_ROUND_S = 0.1  # of each interval: Redis serves everybody else meanwhile


class TakeOver:
    """Looks after what nobody holds.

    Args:
        line: The connection to use.
        lease_ms: How long a lease lasts from a heartbeat on.
        interval_s: From the end of a round to the next.
    """

    def __init__(self, line: Line, *, lease_ms: int, interval_s: float) -> None:
        self._line = line
        self._lease_ms = lease_ms
        self._interval_s = interval_s
        self._round: Iterator[None] | None = None
        self._round_ends_at = 0.0

    def step(self) -> float:
        """Run one script; return for how many seconds to rest.

        Raises:
            StoreUnavailableError: Redis is away.
        """
        under_way, self._round = self._round, None
        if under_way is None:
            under_way = self._look_after()
            self._round_ends_at = time.monotonic() + _LONGEST_ROUND_S
        try:
            is_over = next(under_way, "over") == "over"
        except StoreUnavailableError:
            raise
        except StoreError as error:
            _log.error("aftercare_failed", error=str(error))
            is_over = True
        if is_over or time.monotonic() >= self._round_ends_at:
            return self._interval_s
        self._round = under_way
        return 0.0

    def _look_after(self) -> Iterator[None]:
        """Go through one round, and pause after each script."""
        has_more = True
        while has_more:
            care = self._line.run(look_after(lease_ms=self._lease_ms))
            _tell(care)
            has_more = care.has_more
            yield
            if care.is_miscounted:
                self._line.run(recount_running())
                yield
            for batch in care.unjoined:
                while self._line.run(join_batch(batch)):
                    yield


def _tell(care: Aftercare) -> None:
    """Attempts of dead workers went back, or ended; others had waited for too long."""
    taken_over = [
        Change(event="invocation_taken_over", id=id_, status=status)
        for id_, status in care.taken_over
    ]
    expired = [Change(event="invocation_expired", id=id_) for id_ in care.expired]
    tell([*taken_over, *expired])
