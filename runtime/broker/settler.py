"""Writing how attempts ended, several in one round trip when several end together.

Group commit without a thread of its own: whoever comes while nobody is writing
writes, and goes on with what has gathered meanwhile; the others leave theirs and
return to work. On an idle system an ending is written at once, by the thread that
ran it; where endings come quickly one after the other, the writer waits a moment
for a few more. An ending is kept until Redis has taken it: sending it again is
safe, because the fencing token admits it once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

import structlog

from runtime.broker.attempt import Attempt
from runtime.broker.attempt_log import tell_ended
from runtime.broker.holdings import Holdings
from runtime.errors import StoreError, StoreRefusedError, StoreUnavailableError
from runtime.store.invocation_calls import Settlement, settle
from runtime.store.line import Line
from runtime.store.scripts import Call

_log = structlog.get_logger(__name__)
_LARGEST_BATCH = 64
_LARGEST_BATCH_BYTES = 4 * 1024 * 1024
_LONGEST_GATHERING_S = 0.005
_ROUND_TRIPS_GATHERED = 4
_GROWTH = 0.25
_SMOOTHING = 0.2
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0
_FINAL = frozenset({"succeeded", "failed", "cancelled"})


class Settler:
    """Settles the attempts of one worker process; `line` is its own connection."""

    def __init__(self, line: Line, holdings: Holdings) -> None:
        self._line = line
        self._holdings = holdings
        self._pending: deque[tuple[Attempt, Settlement]] = deque()
        self._lock = threading.Lock()
        self._is_writing = False
        self._stopped = threading.Event()
        self._ended_at = 0.0
        self._interval_s = 1.0  # between endings, smoothed
        self._round_trip_s = 0.0  # of a writing, smoothed
        self._expected = 2.0  # how many endings come together; falls when they do not
        self._wanted = 0  # how many endings the gathering writer waits for; 0 when none does
        self._enough = threading.Lock()
        self._enough.acquire()

    def settle(self, attempt: Attempt, settlement: Settlement) -> None:
        """Have the ending written; returns at once when another thread writes already."""
        now = time.monotonic()
        with self._lock:
            took_s = min(now - self._ended_at, 1.0)
            self._interval_s += (took_s - self._interval_s) * _SMOOTHING
            self._ended_at = now
            self._pending.append((attempt, settlement))
            if self._is_writing:
                if self._wanted and len(self._pending) >= self._wanted:
                    self._wanted = 0
                    self._enough.release()
                return
            self._is_writing = True
        self._gather()
        while batch := self._next_batch():
            self._write(batch)
            self._gather()

    def stop(self) -> None:
        """Give up on a Redis that is away; the leases will run out."""
        self._stopped.set()

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def _gather(self) -> None:
        """Wait a moment for more endings where they come quickly and there are some to come."""
        with self._lock:
            pending = len(self._pending)
            most = self._holdings.count() * 3 // 4
            wanted = min(int(self._expected), most)
            wait_s = min(_LONGEST_GATHERING_S, self._round_trip_s * _ROUND_TRIPS_GATHERED)
            if not pending or wait_s < self._interval_s * 2:
                return
            if pending >= wanted:
                self._expected = min(self._expected + _GROWTH, most + 1.0)
                return
            self._wanted = wanted
        is_enough = self._enough.acquire(timeout=wait_s)
        with self._lock:
            self._expected = float(len(self._pending)) if self._wanted else self._expected + _GROWTH
            if self._wanted:
                self._wanted = 0
            elif not is_enough:
                self._enough.acquire()  # it was released in between

    def _next_batch(self) -> list[tuple[Attempt, Settlement]]:
        batch: list[tuple[Attempt, Settlement]] = []
        size_bytes = 0
        with self._lock:
            while self._pending and len(batch) < _LARGEST_BATCH:
                size_bytes += len(self._pending[0][1].result)
                if batch and size_bytes > _LARGEST_BATCH_BYTES:
                    break
                batch.append(self._pending.popleft())
            if not batch:
                self._is_writing = False
        return batch

    def _write(self, batch: list[tuple[Attempt, Settlement]]) -> None:
        pause_s = _FIRST_PAUSE_S
        calls = [*_last_words(batch), settle(settlement for _, settlement in batch)]
        while True:
            try:
                began_at = time.monotonic()
                replies = self._line.run_many(calls)[-1]
                took_s = time.monotonic() - began_at
                self._round_trip_s += (took_s - self._round_trip_s) * _SMOOTHING
            except (StoreUnavailableError, StoreRefusedError) as error:
                _log.warning("settle_waits", waiting=len(batch), error=str(error))
                if self._stopped.wait(pause_s):
                    break
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            except StoreError:
                _log.exception("settle_failed", ids=[settlement.id for _, settlement in batch])
                break
            else:
                tell_ended(batch, replies)
                break
        self._holdings.drop(attempt for attempt, _ in batch)


def _last_words(batch: list[tuple[Attempt, Settlement]]) -> list[Call[Any]]:
    """What the attempts have told and nobody has written: it must come before their endings."""
    return [
        call
        for attempt, settlement in batch
        if attempt.last_words is not None
        for call in attempt.last_words(settlement.status in _FINAL)
    ]
