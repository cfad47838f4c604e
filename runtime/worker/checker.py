"""Runs consistency checks: one a day, and those that are asked for.

Every worker has a checker. It looks now and then whether a check is to be run; a script lets one
worker run it, and another if that one dies. A check takes a third of the time at most, so that
Redis serves everybody else meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter

import structlog

from runtime.errors import StoreError
from runtime.invocations.consistency import Finding, Walk
from runtime.invocations.identifiers import new_invocation_id
from runtime.store.check_calls import (
    INTERVAL_MS,
    LEASE_MS,
    MOST_NOTED,
    note_check,
    take_check,
)
from runtime.store.line import Line

_log = structlog.get_logger(__name__)
_LONGEST_REST_S = 30.0
_SHORTEST_REST_S = 0.05
_NOTED_EVERY_S = 2.0
_PAUSES_PER_WORK = 2.0
_LOGGED = 100


class Checker:
    """Runs checks, a page a step.

    Args:
        line: The connection to use.
        worker: This worker's id.
        interval_ms: From the end of a check to the next that nobody asked for.
    """

    def __init__(self, line: Line, *, worker: str, interval_ms: int = INTERVAL_MS) -> None:
        self._line = line
        self._worker = worker
        self._interval_ms = interval_ms
        self._check: _Check | None = None

    def step(self) -> float:
        """Take a check, or the next page of one; return for how many seconds to rest.

        Raises:
            StoreError: Redis is away; the check is begun anew, by this worker or another.
        """
        check, self._check = self._check, None
        if check is None:
            return self._take()
        try:
            pause_s = check.step()
        except StoreError:
            raise
        except Exception:
            _log.error("check_failed", check=check.id)
            raise
        if pause_s is None:
            return 0.0
        self._check = check
        return pause_s

    def give_up(self) -> None:
        """Leave a check that runs to another worker, at once.

        Raises:
            StoreError: Redis is away; another worker takes it when the lease has run out.
        """
        check, self._check = self._check, None
        if check is not None:
            check.note(lease_ms=0)

    def _take(self) -> float:
        taken = self._line.run(
            take_check(self._worker, own_id=new_invocation_id(), interval_ms=self._interval_ms)
        )
        if taken.id is None:
            return min(max(taken.wait_ms / 1000, _SHORTEST_REST_S), _LONGEST_REST_S)
        self._check = _Check(
            self._line,
            taken.id,
            repairs=taken.repairs,
            worker=self._worker,
            interval_ms=self._interval_ms,
        )
        return 0.0


class _Check:
    """One check that this worker runs."""

    def __init__(
        self, line: Line, check_id: str, *, repairs: bool, worker: str, interval_ms: int
    ) -> None:
        self.id = check_id
        self._line = line
        self._repairs = repairs
        self._worker = worker
        self._interval_ms = interval_ms
        self._walk = Walk(line, repair=repairs)
        self._pages = self._walk.pages()
        self._unwritten: list[Finding] = []
        self._counts: Counter[str] = Counter()
        self._began_at = self._noted_at = time.monotonic()
        _log.info("check_started", check=check_id, repairs=repairs, worker=worker)

    def step(self) -> float | None:
        """Draw the next page; return for how long to pause, None at the end.

        It ends, too, where another worker has taken it over.
        """
        began_at = time.monotonic()
        page = next(self._pages, None)
        if page is None and len(self._unwritten) <= MOST_NOTED:
            self._end()
            return None
        self._find(page or ())
        is_long_ago = time.monotonic() - self._noted_at > _NOTED_EVERY_S
        if page is None or is_long_ago or len(self._unwritten) >= MOST_NOTED:
            self._noted_at = time.monotonic()
            if not self.note():
                return None
        return (time.monotonic() - began_at) * _PAUSES_PER_WORK

    def note(self, *, lease_ms: int = LEASE_MS, is_last: bool = False) -> bool:
        """Write how far it is and what was found; False: another worker has taken it over."""
        findings = self._unwritten[:MOST_NOTED]
        is_ours = self._line.run(
            note_check(
                self.id,
                self._worker,
                looked_at=self._walk.looked_at,
                findings=findings,
                is_last=is_last,
                lease_ms=lease_ms,
                interval_ms=self._interval_ms,
            )
        )
        del self._unwritten[: len(findings)]
        return is_ours

    def _end(self) -> None:
        if not self.note(is_last=True):
            return
        tell = _log.warning if self._counts else _log.info
        tell(
            "check_finished",
            check=self.id,
            looked_at=self._walk.looked_at,
            found=dict(self._counts),
            repairs=self._repairs,
            took_s=round(time.monotonic() - self._began_at, 3),
        )

    def _find(self, page: tuple[Finding, ...]) -> None:
        for one in page[: max(0, _LOGGED - self._counts.total())]:
            _log.warning(
                "check_found",
                check=self.id,
                kind=one.kind,
                id=one.id,
                actual=one.actual,
                expected=one.expected,
                repaired=one.is_repaired,
            )
        self._unwritten += page
        self._counts.update(one.kind for one in page)
