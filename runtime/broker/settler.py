"""Writing how attempts ended, several in one round trip when several end together.

Group commit without a thread of its own: whoever comes while nobody is writing writes.
Where more attempts lie ready, which may end just as soon, an ending waits for some of
them; a thread that finds nothing more to run writes what waits. On an idle system an
ending is so written at once, by the thread that ran it. Nobody waits for Redis's answer:
it is read with the next writing, or by a thread that has nothing to run, or by the
lookout. Endings are kept until Redis has taken them: sending them again is safe, because
the fencing token admits each once.
"""

from __future__ import annotations

import contextlib
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
from runtime.store.invocation_calls import Settled, Settlement, release, settle
from runtime.store.line import Line, Sent
from runtime.store.scripts import Call

_log = structlog.get_logger(__name__)
_LARGEST_BATCH = 64
_LARGEST_BATCH_BYTES = 4 * 1024 * 1024
_MOST_GATHERED = 32
_LONGEST_GATHERING_S = 0.003
_OLD_S = 0.005
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0
_FINAL = frozenset({"succeeded", "failed", "cancelled"})
Batch = list[tuple[Attempt, Settlement]]


class Settler:
    """Settles the attempts of one worker process.

    Args:
        line: A connection of its own.
        worker: The worker's id, which with its token proves an attempt.
        holdings: What the worker has in hand.
        work_queue: What lies ready to be run.
    """

    def __init__(self, line: Line, worker: str, holdings: Holdings, work_queue: WorkQueue) -> None:
        self._line = line
        self._worker = worker
        self._holdings = holdings
        self._work_queue = work_queue
        self._pending: deque[tuple[Attempt, Settlement]] = deque()
        self._first_at = 0.0  # when the first of them ended
        self._lock = threading.Lock()
        self._is_writing = False
        self._unanswered: tuple[Batch, Sent] | None = None  # only who is writing changes it
        self._sent_at = 0.0
        self._stopped = threading.Event()
        work_queue.has_chores = self._has_unwritten
        work_queue.do_chores = self.write

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
        self._go_on_writing()

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
            self._line.run_many([*told, release(held, worker=self._worker)])
        except StoreError as error:
            _log.warning("release_failed", ids=[entry[0] for entry in held], error=str(error))
        else:
            tell_given_back(attempts)
        self._holdings.drop(attempts)

    def write(self) -> None:
        """Write all that waits for more, if nobody does, and wait for the answer."""
        with self._lock:
            if self._is_writing or not (self._pending or self._unanswered):
                return
            self._is_writing = True
        self._go_on_writing(is_all=True)

    def write_what_is_old(self) -> None:
        """Write what has waited for too long, and hear an answer that nobody came for."""
        now = time.monotonic()
        has_old = bool(self._pending) and now - self._first_at > _LONGEST_GATHERING_S
        if has_old or (self._unanswered is not None and now - self._sent_at > _OLD_S):
            self.write()

    def is_idle(self) -> bool:
        """Whether there is nothing to write or to hear."""
        return not self._pending and self._unanswered is None

    def stop(self) -> None:
        """Give up on a Redis that is away; the leases will run out."""
        self._stopped.set()

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def _has_unwritten(self) -> bool:
        return bool(self._pending) and not self._is_writing

    def _may_wait(self, now: float) -> bool:
        """Whether more endings are to be expected at once."""
        return (
            len(self._pending) < _MOST_GATHERED
            and now - self._first_at < _LONGEST_GATHERING_S
            and not self._work_queue.is_empty()
        )

    def _go_on_writing(self, *, is_all: bool = False) -> None:
        """Write until nothing is due; with `is_all`, everything, and hear the last answer."""
        batch: Batch = []
        try:
            if is_all:
                self._hear()
            while batch := self._next_batch(is_all=is_all):
                self._hear()
                self._send(batch)
                batch = []
                if is_all:
                    self._hear()
        except BaseException:  # such as a log that cannot be written: others must go on
            with self._lock:
                self._pending.extendleft(reversed(batch))
                self._is_writing = False
            raise

    def _next_batch(self, *, is_all: bool = False) -> Batch:
        """Return what is to be written now; if nothing is, this thread writes no more."""
        batch: Batch = []
        size_bytes = 0
        with self._lock:
            is_due = is_all or not self._may_wait(time.monotonic())
            while self._pending and is_due and len(batch) < _LARGEST_BATCH:
                size_bytes += len(self._pending[0][1].result)
                if batch and size_bytes > _LARGEST_BATCH_BYTES:
                    break
                batch.append(self._pending.popleft())
            if not batch:
                self._is_writing = False
            return batch

    def _send(self, batch: Batch) -> None:
        written = settle((settlement for _, settlement in batch), worker=self._worker)
        calls = [*_last_words(batch), written]
        try:
            sent = self._line.begin(calls)
        except StoreError as error:
            self._insist(batch, calls, error)
        else:
            self._sent_at = time.monotonic()
            self._unanswered = batch, sent

    def _hear(self) -> None:
        """Read the answer to what was sent last."""
        if self._unanswered is None:
            return
        batch, sent = self._unanswered
        self._unanswered = None
        try:
            replies = self._line.finish(sent)
        except StoreError as error:
            self._insist(batch, sent.calls, error)
        else:
            self._end(batch, replies[-1])

    def _insist(self, batch: Batch, calls: Sequence[Call[Any]], error: StoreError) -> None:
        """Write what could not be, as soon as it can be."""
        self._work_queue.step_aside()
        pause_s = _FIRST_PAUSE_S
        while isinstance(error, StoreUnavailableError | StoreRefusedError):
            with contextlib.suppress(Exception):  # a log that fails must not cost the endings
                _log.warning("settle_waits", waiting=len(batch), error=str(error))
            if self._stopped.wait(pause_s):
                self._end(batch, None)
                return
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            try:
                replies = self._line.run_many(calls)
            except StoreError as again:
                error = again
            else:
                self._end(batch, replies[-1])
                return
        ids = [settlement.id for _, settlement in batch]
        _log.error("settle_failed", ids=ids, error=str(error))
        self._end(batch, None)

    def _end(self, batch: Batch, replies: Sequence[Settled] | None) -> None:
        self._holdings.drop(attempt for attempt, _ in batch)
        if replies is not None:
            tell_ended(batch, replies)


def _last_words(batch: Batch) -> list[Call[Any]]:
    """What the attempts have told and nobody has written: it must come before their endings."""
    return [
        call
        for attempt, settlement in batch
        if attempt.last_words is not None
        for call in attempt.last_words(settlement.status in _FINAL)
    ]
