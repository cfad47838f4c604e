"""Runs consistency checks: one a day, and those that are asked for.

Every worker has a checker. It blocks in Redis and looks now and then whether a check is to be
run; a script lets one worker run it, and another if that one dies. A check takes a third of
the time at most, so that Redis serves everybody else meanwhile.
"""

from __future__ import annotations

import threading
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
    wake_key,
)
from runtime.store.line import Line
from runtime.telemetry.lasting import lasting_thread

_log = structlog.get_logger(__name__)
_LONGEST_BLOCK_S = 30.0
_SHORTEST_BLOCK_S = 0.05
_AWAY_PAUSE_S = 1.0
_NOTED_EVERY_S = 2.0
_PAUSES_PER_WORK = 2.0
_LOGGED = 100
_JOIN_S = 0.2
_MOST_JOINS = 25


class _StoppedError(Exception):
    """The check is no longer this worker's, or the worker stops."""


class Checker:
    """Runs checks from `start` until `stop`.

    Args:
        line: A connection of its own, since it blocks.
        worker: This worker's id.
        interval_ms: From the end of a check to the next that nobody asked for.
    """

    def __init__(self, line: Line, *, worker: str, interval_ms: int = INTERVAL_MS) -> None:
        self._line = line
        self._worker = worker
        self._interval_ms = interval_ms
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own; safe to call twice."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = lasting_thread(self._run, name="checker")
            self._thread.start()

    def stop(self) -> None:
        """Stop; a check that runs is left to another worker. Safe to call twice."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        for _ in range(_MOST_JOINS):
            self._line.close()  # ends a block
            thread.join(_JOIN_S)
            if not thread.is_alive():
                break

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._turn()
            except StoreError:
                self._stopping.wait(_AWAY_PAUSE_S)  # others tell of it
            except _StoppedError:
                continue
            except Exception:  # noqa: BLE001 - outermost: the next check must be run
                _log.exception("check_failed")
                self._stopping.wait(_LONGEST_BLOCK_S)
        self._line.close()

    def _turn(self) -> None:
        taken = self._line.run(
            take_check(self._worker, own_id=new_invocation_id(), interval_ms=self._interval_ms)
        )
        if taken.id is not None:
            self._check(taken.id, repairs=taken.repairs)
            return
        block_s = min(max(taken.wait_ms / 1000, _SHORTEST_BLOCK_S), _LONGEST_BLOCK_S)
        self._line.block([wake_key(self._line.keys)], timeout_s=block_s)

    def _check(self, check_id: str, *, repairs: bool) -> None:
        _log.info("check_started", check=check_id, repairs=repairs, worker=self._worker)
        walk = Walk(self._line, repair=repairs)
        found: list[Finding] = []
        counts: Counter[str] = Counter()
        began = noted = paused = time.monotonic()
        for page in walk.pages():
            found += page
            counts.update(one.kind for one in page)
            self._tell(check_id, page, already=counts.total() - len(page))
            now = time.monotonic()
            self._stopping.wait((now - paused) * _PAUSES_PER_WORK)
            if now - noted > _NOTED_EVERY_S or len(found) >= MOST_NOTED or self._stopping.is_set():
                found = self._note(check_id, walk, found)
                noted = time.monotonic()
            paused = time.monotonic()
        while len(found) > MOST_NOTED:
            found = self._note(check_id, walk, found)
        self._note(check_id, walk, found, is_last=True)
        tell = _log.warning if counts else _log.info
        tell(
            "check_finished",
            check=check_id,
            looked_at=walk.looked_at,
            found=dict(counts),
            repairs=repairs,
            took_s=round(time.monotonic() - began, 3),
        )

    def _note(
        self, check_id: str, walk: Walk, found: list[Finding], *, is_last: bool = False
    ) -> list[Finding]:
        """Write how far it is; return the findings that are yet to be written."""
        is_stopping = self._stopping.is_set() and not is_last
        is_ours = self._line.run(
            note_check(
                check_id,
                self._worker,
                looked_at=walk.looked_at,
                findings=found[:MOST_NOTED],
                is_last=is_last,
                lease_ms=0 if is_stopping else LEASE_MS,
                interval_ms=self._interval_ms,
            )
        )
        if is_stopping or not is_ours:
            raise _StoppedError
        return found[MOST_NOTED:]

    def _tell(self, check_id: str, page: tuple[Finding, ...], *, already: int) -> None:
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
