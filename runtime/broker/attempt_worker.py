"""Dramatiq's worker, with our work queue between its threads."""

from __future__ import annotations

import contextlib
import time
from typing import Any, cast

import dramatiq
import structlog
from dramatiq.worker import WorkerThread, _WorkerMiddleware

from runtime.broker.attempt import Attempt, AttemptMessage
from runtime.broker.consumer import QueueConsumer, acknowledge
from runtime.broker.worker_side import WorkerSide

_ENDING_S = 2.0
_log = structlog.get_logger(__name__)


class AttemptWorker(dramatiq.Worker):
    """Dramatiq's worker over the work queue of `side`."""

    def __init__(
        self, broker: dramatiq.Broker, side: WorkerSide, *, timeout_ms: int = 1_000
    ) -> None:
        super().__init__(broker, worker_threads=side.places, worker_timeout=timeout_ms)
        self.work_queue = cast("Any", side.work_queue)
        self._side = side

    def end_consumer(self, queue: str) -> None:
        """End the consumer of a queue that is no more, and its connection; it may come again."""
        thread = self.consumers.pop(queue, None)
        if thread is None:
            return
        thread.stop()
        if isinstance(thread.consumer, QueueConsumer):
            thread.consumer.retire()
        thread.join(_ENDING_S)
        thread.close()

    def _add_worker(self) -> None:
        thread = _AttemptThread(self, self._side)
        thread.start()
        self.workers.append(thread)


class _AttemptThread(WorkerThread):
    """A worker thread that goes straight to the attempt where no middleware wants to know of it."""

    def __init__(self, worker: dramatiq.Worker, side: WorkerSide) -> None:
        super().__init__(
            broker=worker.broker,
            consumers=worker.consumers,
            work_queue=worker.work_queue,
            worker_timeout=worker.worker_timeout,
        )
        self._side = side
        self._is_plain = all(type(one) is _WorkerMiddleware for one in self.broker.middleware)

    def process_message(self, message: dramatiq.MessageProxy) -> None:
        """Process and acknowledge, as Dramatiq does; nothing escapes."""
        if not self._is_plain:
            super().process_message(message)
            return
        attempt = cast("AttemptMessage", message).attempt
        began_at = time.perf_counter()
        try:
            self._side.run(attempt)
        except BaseException:  # noqa: BLE001 - outermost: the thread must go on
            _tell("attempt_broke_off", attempt)
        self._side.foresight.note(attempt.claimed.function, time.perf_counter() - began_at)
        try:
            acknowledge(self._side, attempt)  # the consumer of its queue may have ended
        except Exception:  # noqa: BLE001 - outermost: the thread must go on
            self._side.holdings.drop([attempt])  # so that its lease runs out
            _tell("attempt_not_acknowledged", attempt)


def _tell(event: str, attempt: Attempt) -> None:
    with contextlib.suppress(Exception):  # it may be the log that fails
        _log.exception(event, id=attempt.claimed.id)
