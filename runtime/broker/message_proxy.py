"""An attempt as Dramatiq's middleware sees it: a message, then its result or exception.

Used by `middleware_signals`. The message is decoded when middleware first reads it.
"""

from __future__ import annotations

from contextvars import Context
from functools import lru_cache
from typing import Any

import dramatiq
import msgspec

from runtime.broker.failure import Failure, read_failure
from runtime.invocations.result import decode_result
from runtime.store.invocation_commands import Claimed, Settlement

GIVEN_BACK = "given_back"


class AttemptError(Exception):
    """How an attempt failed. Its class is named after the exception that the function raised.

    Attributes:
        error_type: `error.type` of the invocation's record ("exception", "timeout", "rejected"…);
            without an error the attempt's status, or "given_back" if the attempt is requeued.
        traceback: The traceback in the function, as text, if there is one.
    """

    error_type = ""
    traceback: str | None = None


class MessageProxy(dramatiq.MessageProxy):
    """The message of one attempt, and the context in which its signals are emitted.

    Made by the loop thread; all else happens in the thread of the signals.
    """

    def __init__(self, claimed: Claimed, queue: str) -> None:
        self.failed = False
        self.context = Context()
        self._exception = None
        self._claimed = claimed
        self._queue = queue

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - Dramatiq's
        if name == "_message":
            self._message = _message_of(self._claimed, self._queue)
            return self._message
        return super().__getattr__(name)


def result_of(settlement: Settlement) -> Any:  # noqa: ANN401 - any JSON, or bytes
    """Return what the function returned: the decoded JSON value, or bytes."""
    return decode_result(settlement.result_type, settlement.result)


def error_of(settlement: Settlement | None) -> AttemptError | None:
    """Return the error of an attempt: None if it succeeded.

    Without a settlement the attempt is requeued, and the error says so.
    """
    if settlement is None:
        failure = Failure(type=GIVEN_BACK, message="the attempt goes back to its queue")
    elif settlement.status == "succeeded":
        return None
    elif settlement.error:
        failure = read_failure(settlement.error)
    else:
        failure = Failure(type=settlement.status, message=f"the attempt is {settlement.status}")
    error = _class_named(failure.exception_type or failure.type)(failure.message)
    error.error_type = failure.type
    error.traceback = failure.traceback
    return error


@lru_cache(maxsize=256)
def _class_named(name: str) -> type[AttemptError]:
    return type(name, (AttemptError,), {})


def _message_of(claimed: Claimed, queue: str) -> dramatiq.Message[Any]:
    try:
        arguments = msgspec.json.decode(claimed.arguments)
    except msgspec.DecodeError:  # the attempt itself will fail on them
        arguments = {}
    return dramatiq.Message(
        queue_name=queue,
        actor_name=claimed.function,
        args=(),
        kwargs=arguments if isinstance(arguments, dict) else {},
        options={"retries": claimed.attempt - 1} if claimed.attempt > 1 else {},
        message_id=claimed.id,
        message_timestamp=claimed.created_at_ms,
    )
