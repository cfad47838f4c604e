"""Run consistency checks: one a day, and those that operators request.

Every worker has a checker, which asks Redis from time to time whether a check is to run. A script
gives each check to one worker, and to another if that one dies. A check rests twice as long as it
works, so that Redis stays free for everything else.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import structlog

from runtime.errors import StoreError
from runtime.invocations.consistency import Finding, Walk
from runtime.invocations.ids import new_invocation_id
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.check_commands import (
    INTERVAL_MS,
    LEASE_MS,
    MOST_NOTED,
    save_check,
    take_check,
)
from runtime.worker.maintenance import RoundTask

_log = structlog.get_logger(__name__)
_LONGEST_REST_S = 30.0
_SHORTEST_REST_S = 0.05
_NOTED_EVERY_S = 2.0
_PAUSES_PER_WORK = 2.0
_LOGGED = 100


class Checker(RoundTask):
    """Runs checks in the maintenance thread, one page at each step.

    Args:
        connection: The connection of the maintenance thread.
        worker: This worker's id.
        interval_ms: Time from the end of a check to the next scheduled one.
    """

    def __init__(
        self, connection: BlockingConnection, *, worker: str, interval_ms: int = INTERVAL_MS
    ) -> None:
        self._connection = connection
        self._worker = worker
        self._interval_ms = interval_ms
        self._is_leaving = False

    def give_up(self) -> None:
        """Leave a running check to another worker at once.

        Raises:
            StoreError: Redis is away; another worker takes the check when its lease runs out.
        """
        self._is_leaving = True
        if self._under_way is not None:
            self.step()
        self._is_leaving = False

    def _round(self) -> Iterator[float]:
        taken = self._connection.run(
            take_check(self._worker, own_id=new_invocation_id(), interval_ms=self._interval_ms)
        )
        if taken.id is None:
            yield min(max(taken.wait_ms / 1000, _SHORTEST_REST_S), _LONGEST_REST_S)
            return
        try:
            yield from self._check(taken.id, repairs=taken.repairs)
        except StoreError:
            raise
        except Exception:
            _log.error("check_failed", check=taken.id)
            raise

    def _check(self, check_id: str, *, repairs: bool) -> Iterator[float]:
        _log.info("check_started", check=check_id, repairs=repairs, worker=self._worker)
        walk = Walk(self._connection, repair=repairs)
        found: list[Finding] = []
        counts: Counter[str] = Counter()
        began = noted = resumed = time.monotonic()
        for page in walk.pages():
            self._report(check_id, page, already=counts.total())
            found += page
            counts.update(one.kind for one in page)
            if time.monotonic() - noted > _NOTED_EVERY_S or len(found) >= MOST_NOTED:
                if not self._note(check_id, walk, found):
                    return
                noted = time.monotonic()
            yield (time.monotonic() - resumed) * _PAUSES_PER_WORK
            if self._is_leaving:
                self._note(check_id, walk, found, lease_ms=0)
                return
            resumed = time.monotonic()
        while len(found) > MOST_NOTED:
            self._note(check_id, walk, found)
        if not self._note(check_id, walk, found, is_last=True):
            return
        report = _log.warning if counts else _log.info
        report(
            "check_finished",
            check=check_id,
            looked_at=walk.looked_at,
            found=dict(counts),
            repairs=repairs,
            took_s=round(time.monotonic() - began, 3),
        )

    def _note(
        self,
        check_id: str,
        walk: Walk,
        found: list[Finding],
        *,
        lease_ms: int = LEASE_MS,
        is_last: bool = False,
    ) -> bool:
        """Save the progress and move findings from `found` to Redis; False: lease lost."""
        findings = found[:MOST_NOTED]
        del found[:MOST_NOTED]
        return self._connection.run(
            save_check(
                check_id,
                self._worker,
                looked_at=walk.looked_at,
                findings=findings,
                is_last=is_last,
                lease_ms=lease_ms,
                interval_ms=self._interval_ms,
            )
        )

    def _report(self, check_id: str, page: tuple[Finding, ...], *, already: int) -> None:
        for one in page[: max(0, _LOGGED - already)]:
            _log.warning(
                "check_found",
                check=check_id,
                kind=one.kind,
                id=one.id,
                actual=one.actual,
                expected=one.expected,
                repaired=one.is_repaired,
            )
