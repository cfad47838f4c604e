"""Taking invocations from one queue, in one of Dramatiq's consumer threads.

While there is work it claims as much as the worker has room for; when there is
none it blocks in Redis until somebody submits or the next one falls due. What it
claims goes to the worker's threads all at once: Dramatiq would take it one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import dramatiq
import structlog

from runtime.broker.attempt import Attempt, attempt_of
from runtime.broker.attempt_log import tell_expired, tell_started
from runtime.broker.signals import skipped
from runtime.broker.worker_side import WorkerSide
from runtime.errors import StoreError
from runtime.store.aftercare_calls import set_aside
from runtime.store.invocation_calls import claim, wake
from runtime.store.line import Line

_log = structlog.get_logger(__name__)
_ROOM_WAIT_S = 0.5
_BLOCK_S = 3.0
_LONGEST_BLOCK_S = 10.0
_SHORTEST_BLOCK_S = 0.001
_AWAY_PAUSE_S = 0.25
_PAUSED_S = 0.02


class QueueConsumer(dramatiq.Consumer):
    """A Dramatiq consumer over the claim, settle and release scripts.

    Args:
        line: A connection of its own, since it blocks.
        queue: The queue it takes from.
        side: Of the worker that it claims for.
        count_queues: How many queues this worker serves by now.
        on_close: Called with the line when it is closed.
    """

    def __init__(
        self,
        *,
        line: Line,
        queue: str,
        side: WorkerSide,
        count_queues: Callable[[], int] = lambda: 1,
        on_close: Callable[[Line], None] = lambda _: None,
    ) -> None:
        self._line = line
        self._queue = queue
        self._side = side
        self._work_queue = side.work_queue
        self._stopping = side.stopping
        self._count_queues = count_queues
        self._wake_lists = [line.keys.build("wake", queue)]
        self._on_close = on_close
        self._is_away = self._is_retired = False
        self._is_drained = False
        self._goes_ahead = True
        self._has_token = False
        self._next_due_ms: int | None = None

    def __next__(self) -> dramatiq.MessageProxy | None:
        """Fetch what there is room for; None always, as the threads have got it."""
        if not self._stopping.is_set() and not self._is_retired:
            try:
                self._fetch()
            except StoreError as error:
                self._tell_away(error)
        if self._stopping.is_set():
            self._stopping.wait(_AWAY_PAUSE_S)
        return None

    def ack(self, message: dramatiq.MessageProxy) -> None:
        """Have the message's ending written; never fails, the settler keeps it."""
        acknowledge(self._side, attempt_of(message))

    def nack(self, message: dramatiq.MessageProxy) -> None:
        """As `ack`: what became of the attempt stands in its settlement."""
        self.ack(message)

    def requeue(self, messages: Iterable[dramatiq.MessageProxy]) -> None:
        """Give back what was claimed and not begun."""
        self._side.settler.give_back([attempt_of(message) for message in messages])

    def close(self) -> None:
        """Close the connection."""
        self._line.close()
        self._on_close(self._line)

    def retire(self) -> None:
        """Take nothing any more, and do not block; its thread is to end."""
        self._is_retired = True
        self._line.half_close()

    def _fetch(self) -> None:
        # No other queue wants the room of a worker that serves one: while it has little to do its
        # room is reserved while Redis waits, which then claims at once.
        work_queue = self._work_queue
        is_calm = self._is_drained and self._count_queues() == 1 and work_queue.is_calm()
        # Only a worker with room may take the wake-up token: it must be able to claim.
        if self._is_drained and not is_calm and work_queue.awaits_room(timeout_s=_ROOM_WAIT_S):
            self._block()
        room = work_queue.reserve(timeout_s=_ROOM_WAIT_S, goes_ahead=self._goes_ahead)
        if room is None:
            self._pass_on()
            return
        claiming = claim(
            queue=self._queue,
            worker=self._side.worker,
            limit=room.places,
            lease_ms=self._side.lease_ms,
            ahead=room.ahead,
            quick=self._side.foresight.quick if room.ahead else (),
        )
        try:
            if is_calm:
                claimed = self._line.block_and_run(
                    self._wake_lists, claiming, timeout_s=self._block_s()
                )
            else:
                claimed = self._line.run(claiming)
        except BaseException:
            work_queue.fill(room, ())
            raise
        attempts = [Attempt(item, self._queue) for item in claimed.items]
        self._side.holdings.hold(attempts)
        if self._stopping.is_set():
            work_queue.fill(room, ())
            self._side.settler.give_back(attempts)
        elif work_queue.fill(room, attempts, is_calm=is_calm):
            self._side.lookout.alert()
        tell_started(attempts, self._side.worker)
        tell_expired(claimed.expired)
        for unreadable in claimed.unreadable:
            self._set_aside(*unreadable)
        self._has_token = False
        self._next_due_ms = claimed.next_due_ms
        # Whatever is submitted from now on leaves a token, so there is nothing to look for before.
        self._is_drained = claimed.remaining_lanes == 0
        # What waits and was not taken ahead waits for a place: asking again would bring nothing.
        self._goes_ahead = bool(attempts) or room.places > 0
        if self._is_away:
            self._is_away = False
            _log.info("store_is_back", queue=self._queue)
        if claimed.is_paused:  # what is submitted meanwhile leaves tokens for nothing
            self._stopping.wait(_PAUSED_S)

    def _block(self) -> None:
        block_s = self._block_s()
        self._is_drained = False
        self._has_token = self._line.block(self._wake_lists, timeout_s=block_s) is not None

    def _block_s(self) -> float:
        # Each look costs two commands: the more queues a worker serves, the rarer they are, so
        # that idling costs the same. It only matters to a token lost with a killed worker.
        block_s = min(_LONGEST_BLOCK_S, _BLOCK_S * max(1.0, self._count_queues() / 2))
        if self._next_due_ms is not None:
            block_s = min(block_s, max(_SHORTEST_BLOCK_S, self._next_due_ms / 1000))
        return block_s

    def _set_aside(self, invocation_id: str, function: str, reason: str) -> None:
        """Nobody can run what nobody can read; it must not be taken over for ever."""
        _log.error("invocation_set_aside", id=invocation_id, function=function, reason=reason)
        try:
            self._line.run(
                set_aside(
                    invocation_id,
                    queue=self._queue,
                    function=function,
                    worker=self._side.worker,
                    reason=reason,
                )
            )
        except StoreError as error:  # whoever takes over the lease will
            _log.warning("set_aside_failed", id=invocation_id, error=str(error))

    def _pass_on(self) -> None:
        """Another queue filled the room meanwhile: leave the token to another worker."""
        if self._has_token:
            self._has_token = False
            self._line.run(wake(self._queue))

    def _tell_away(self, error: StoreError) -> None:
        if self._is_retired:
            return
        if not self._is_away and not self._stopping.is_set():
            self._is_away = True
            _log.warning("store_is_away", queue=self._queue, error=str(error))
        self._stopping.wait(_AWAY_PAUSE_S)


def acknowledge(side: WorkerSide, attempt: Attempt) -> None:
    """Have an attempt's ending written, or give it back where it has none."""
    settlement = attempt.settlement
    if settlement is None and attempt.is_begun:
        side.settler.give_back([attempt])
        return
    side.settler.settle(attempt, settlement or skipped(attempt))
