"""Writing how attempts ended, several in one round trip when several end together.

Group commit without a thread of its own: whoever comes while nobody is writing
writes, and goes on with what has gathered meanwhile; the others leave theirs and
return to work. Where more attempts lie ready, which may end just as soon, an ending
waits for a few of them; a thread that finds nothing more to run writes what waits. On
an idle system an ending is so written at once, by the thread that ran it. It is kept
until Redis has taken it: sending it again is safe, because the fencing token admits
it once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import structlog

from runtime.broker.attempt import Attempt
from runtime.broker.attempt_log import tell_ended, tell_given_back
from runtime.broker.holdings import Holdings
from runtime.broker.work_queue import WorkQueue
from runtime.errors import StoreError, StoreRefusedError, StoreUnavailableError
from runtime.store.invocation_calls import Settlement, release, settle
from runtime.store.line import Line
from runtime.store.scripts import Call

_log = structlog.get_logger(__name__)
_LARGEST_BATCH = 64
_LARGEST_BATCH_BYTES = 4 * 1024 * 1024
_MOST_GATHERED = 8
_LONGEST_GATHERING_S = 0.003
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0
_FINAL = frozenset({"succeeded", "failed", "cancelled"})


class Settler:
    """Settles the attempts of one worker process.

    Args:
        line: A connection of its own.
        holdings: What the worker has in hand.
        work_queue: What lies ready to be run.
    """

    def __init__(self, line: Line, holdings: Holdings, work_queue: WorkQueue) -> None:
        self._line = line
        self._holdings = holdings
        self._work_queue = work_queue
        self._pending: deque[tuple[Attempt, Settlement]] = deque()
        self._first_at = 0.0  # when the first of them ended
        self._lock = threading.Lock()
        self._is_writing = False
        self._stopped = threading.Event()
        work_queue.has_chores = self._has_pending
        work_queue.do_chores = self._write_pending

    def settle(self, attempt: Attempt, settlement: Settlement) -> None:
        """Have the ending written; returns at once when it will be by somebody else."""
        now = time.monotonic()
        with self._lock:
            if not self._pending:
                self._first_at = now
            self._pending.append((attempt, settlement))
            if self._is_writing or self._may_wait(now):
                return
            self._is_writing = True
        self._write_all()

    def give_back(self, attempts: Sequence[Attempt]) -> None:
        """Let go of attempts without an ending, so that another worker may run them.

        Not by a consumer's connection, which may be waiting for work. Where Redis is away,
        the leases will run out.
        """
        if not attempts:
            return
        self._work_queue.step_aside()
        held = [(a.claimed.id, a.claimed.token, a.is_begun) for a in attempts]
        told = [call for a in attempts if a.last_words for call in a.last_words(False)]  # noqa: FBT003
        try:
            self._line.run_many([*told, release(held)])
        except StoreError as error:
            _log.warning("release_failed", ids=[entry[0] for entry in held], error=str(error))
        else:
            tell_given_back(attempts)
        self._holdings.drop(attempts)

    def stop(self) -> None:
        """Give up on a Redis that is away; the leases will run out."""
        self._stopped.set()

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def _has_pending(self) -> bool:
        return bool(self._pending) and not self._is_writing

    def _may_wait(self, now: float) -> bool:
        """Whether more endings are to be expected at once."""
        return (
            len(self._pending) < _MOST_GATHERED
            and now - self._first_at < _LONGEST_GATHERING_S
            and not self._work_queue.is_empty()
        )

    def _write_pending(self) -> None:
        """Write what waits for more, if nobody does."""
        with self._lock:
            if self._is_writing or not self._pending:
                return
            self._is_writing = True
        self._write_all()

    def _write_all(self) -> None:
        self._work_queue.step_aside()
        while batch := self._next_batch():
            self._write(batch)

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
                replies = self._line.run_many(calls)[-1]
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
