"""The backend of Dramatiq's `message.get_result()`: it reads the invocation's record.

Nothing is stored besides the record, so a result is kept for the function's `result_ttl`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import dramatiq
from dramatiq.results import ResultBackend, ResultFailure, ResultMissing, ResultTimeout

from runtime.broker.failure import read_failure
from runtime.invocations.record import Record, read
from runtime.invocations.result import decode_result
from runtime.invocations.status import Status
from runtime.store.blocking_connection import BlockingConnection

_USUAL_WAIT_MS = 10_000
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.005, 0.25


class RecordBackend(ResultBackend):
    """Reads results. Workers write them.

    Args:
        connection: The sender's connection to Redis.
        clock: Monotonic seconds, to measure the wait.
        sleep: Waits for the given number of seconds.
    """

    def __init__(
        self,
        connection: BlockingConnection,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self._connection = connection
        self._clock = clock
        self._sleep = sleep

    def get_result(
        self, message: dramatiq.Message[Any], *, block: bool = False, timeout: int | None = None
    ) -> Any:  # noqa: ANN401 - any JSON, or bytes
        """Return what the function returned.

        Args:
            message: The message that `send` returned.
            block: Whether to wait until the invocation finishes.
            timeout: Longest wait in milliseconds. Default: 10 seconds.

        Raises:
            ResultMissing: It has not finished, or its record is no longer kept.
            ResultTimeout: It has not finished within `timeout`.
            ResultFailure: It failed, expired or was cancelled.
            StoreError: Redis is away.
        """
        ends_at = self._clock() + (_USUAL_WAIT_MS if timeout is None else timeout) / 1000
        pause_s = _FIRST_PAUSE_S
        while True:
            record = self._connection.run(read(message.message_id))
            if record is not None and record.is_finished:
                return _result_of(record)
            if record is None or not block:
                raise ResultMissing(message)  # type: ignore[no-untyped-call]
            left_s = ends_at - self._clock()
            if left_s <= 0:
                raise ResultTimeout(message)  # type: ignore[no-untyped-call]
            self._sleep(min(pause_s, left_s))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _result_of(record: Record) -> Any:  # noqa: ANN401 - any JSON, or bytes
    if record.status is Status.SUCCEEDED:
        return decode_result(record.result_type, record.result or b"")
    failure = read_failure(record.error or b"{}")
    kind = failure.exception_type or (failure.type if record.error else record.status.value)
    text = failure.message or f"the invocation is {record.status.value}"
    raise ResultFailure(f"{record.function} {record.status.value}: {kind}: {text}", kind, text)  # type: ignore[no-untyped-call]
