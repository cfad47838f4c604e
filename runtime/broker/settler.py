"""Write settlements to Redis in batches, and requeue attempts that this worker will not finish.

    settle() ──► pending ──► sent, one batch at a time, up to 64 ────────────► on_over
                               │ ▲ Redis is away or refuses writes: send the same batch again
                               └─┘ after 0.1 s, then twice as long each time, up to 1 s
    requeue() ─► returned ─► sent, up to 100 in a command, retried alike ──► on_over

While a batch is sent the next one collects, so batches grow as Redis gets slower. A settlement may
be sent twice: the script accepts a fencing token once. If the worker is killed before Redis has a
settlement, the lease runs out and another worker takes the invocation over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog

from runtime.broker.attempt import Attempt
from runtime.broker.attempt_events import log_ended, log_requeued
from runtime.errors import StoreError, StoreRefusedError, StoreUnavailableError
from runtime.loop import Loop
from runtime.store.invocation_commands import Settled, Settlement, release, settle
from runtime.store.loop_connection import LoopConnection
from runtime.store.scripts import Command

_log = structlog.get_logger(__name__)
_LARGEST_BATCH = 64
_LARGEST_RELEASE = 100
_LARGEST_BATCH_BYTES = 4 * 1024 * 1024
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0
_FINAL = frozenset({"succeeded", "failed", "cancelled"})
_PASSING = (StoreUnavailableError, StoreRefusedError)
Batch = list[tuple[Attempt, Settlement]]


class Settler:
    """Settles the attempts of one worker process. Everything runs in the loop thread.

    Args:
        loop: The worker's loop.
        connection: The connection to write on.
        worker: The worker's id; with the token it identifies the holder of a lease.
        on_over: Called with attempts that are settled, requeued or given up.
    """

    def __init__(
        self,
        loop: Loop,
        connection: LoopConnection,
        worker: str,
        on_over: Callable[[Sequence[Attempt]], None],
    ) -> None:
        self._loop = loop
        self._connection = connection
        self._worker = worker
        self._on_over = on_over
        self._pending: deque[tuple[Attempt, Settlement]] = deque()
        self._returned: list[Attempt] = []  # to be requeued
        # _is_writing: a batch was sent and has no reply. _is_asked: `_write` runs later this turn.
        self._is_writing = self._is_asked = self._is_stopped = False
        self._pause_s = _FIRST_PAUSE_S

    def settle(self, attempt: Attempt, settlement: Settlement) -> None:
        """Write a settlement, together with others that come in this turn of the loop."""
        self._pending.append((attempt, settlement))
        self._write_soon()

    def requeue(self, attempt: Attempt) -> None:
        """Give an attempt back to its lane without a settlement, so that any worker may run it."""
        self._returned.append(attempt)
        self._write_soon()

    def stop(self) -> None:
        """Do not retry any more if Redis is away: the leases will run out."""
        self._is_stopped = True

    def _write_soon(self) -> None:
        if not (self._is_asked or self._is_writing):
            self._is_asked = True
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        self._is_asked = False
        if self._returned:
            self._release()
        if self._is_writing or not self._pending:
            return
        batch = self._next_batch()
        written = settle((settlement for _, settlement in batch), worker=self._worker)
        self._is_writing = True
        # Events first: the script refuses events of an attempt that is settled.
        self._send(batch, [*_last_words(batch), written])

    def _next_batch(self) -> Batch:
        pending, size_bytes = self._pending, 0
        batch: Batch = []
        while pending and len(batch) < _LARGEST_BATCH:
            # Redis does nothing else while a batch is written, so results bound it, too.
            size_bytes += len(pending[0][1].result)
            if batch and size_bytes > _LARGEST_BATCH_BYTES:
                break
            batch.append(pending.popleft())
        return batch

    def _send(self, batch: Batch, calls: Sequence[Command[Any]]) -> None:
        self._connection.run_many(calls, lambda replies: self._receive(batch, calls, replies))

    def _receive(
        self, batch: Batch, calls: Sequence[Command[Any]], replies: list[Any] | StoreError
    ) -> None:
        if not isinstance(replies, StoreError):
            self._pause_s = _FIRST_PAUSE_S
            self._end(batch, replies[-1])
        elif not isinstance(replies, _PASSING):  # an error in the script: it would fail again
            self._end(batch, None)
            ids = [settlement.id for _, settlement in batch]
            _log.error("settle_failed", ids=ids, error=str(replies))
        elif self._is_stopped:  # another worker runs them again when the leases have run out
            self._end(batch, None)
        else:  # `_is_writing` stays set: later settlements collect behind this batch
            self._loop.call_later(self._pause_s, lambda: self._send(batch, calls))
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            _log.warning("settle_waits", waiting=len(batch), error=str(replies))

    def _end(self, batch: Batch, replies: Sequence[Settled] | None) -> None:
        # First, so that the next batch is sent whatever `on_over` raises.
        self._is_writing = False
        if self._pending or self._returned:
            self._write_soon()
        self._on_over([attempt for attempt, _ in batch])
        if replies is not None:
            log_ended(batch, replies)

    def _release(self) -> None:
        returned, self._returned = self._returned, []
        for begin in range(0, len(returned), _LARGEST_RELEASE):  # one script call each
            attempts = returned[begin : begin + _LARGEST_RELEASE]
            held = [(a.claimed.id, a.claimed.token, a.is_begun) for a in attempts]
            reported = [call for a in attempts for call in a.last_words(is_final=False)]
            calls: list[Command[Any]] = [*reported, release(held, worker=self._worker)]
            self._send_release(attempts, calls, _FIRST_PAUSE_S)

    def _send_release(
        self, attempts: Sequence[Attempt], calls: Sequence[Command[Any]], pause_s: float
    ) -> None:
        def receive(replies: list[Any] | StoreError) -> None:
            if not isinstance(replies, StoreError):
                self._on_over(attempts)
                log_requeued(attempts)
                return
            if isinstance(replies, _PASSING) and not self._is_stopped:
                longer_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                send = partial(self._send_release, attempts, calls, longer_s)
                self._loop.call_later(pause_s, send)
            else:
                self._on_over(attempts)
            ids = [attempt.claimed.id for attempt in attempts]
            _log.warning("release_failed", ids=ids, error=str(replies))

        self._connection.run_many(calls, receive)


def _last_words(batch: Batch) -> list[Command[Any]]:
    """Return the commands that write the events that are left of these attempts."""
    return [
        call
        for attempt, settlement in batch
        if attempt.pending_events is not None
        for call in attempt.last_words(is_final=settlement.status in _FINAL)
    ]
