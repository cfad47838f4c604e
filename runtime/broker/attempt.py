"""One attempt on its way through a worker, and the Dramatiq message that carries it.

The message's one argument is the `Attempt`. Its arguments stay the bytes that the
caller sent: nobody between the gateway and the runner needs them decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dramatiq

from runtime.broker.signalled_message import SignalledMessage
from runtime.store.invocation_calls import Claimed, Settlement
from runtime.store.scripts import Call

LastWords = Callable[[bool], Sequence[Call[bool]]]


class Attempt:
    """What was claimed, and how it ended once that is known.

    An attempt that is acknowledged without a settlement goes back to its lane.

    Args:
        claimed: What the claim brought.
        queue: The queue it was claimed from.

    Attributes:
        duration_ms: How long it ran, once it has.
        begun_at_ms: When its run began, by the worker's clock: for people, not for judging.
        is_cancelled: A caller has cancelled it.
        is_lost: Its lease is somebody else's by now.
        signalled: Its message, where `runtime.broker.signals` tells middleware of it.
        last_words: What must be written before its ending is, where it tells anything;
            called once, with whether the invocation ends with it.
    """

    __slots__ = (
        "begun_at_ms",
        "claimed",
        "duration_ms",
        "is_begun",
        "is_cancelled",
        "is_given_back",
        "is_lost",
        "last_words",
        "queue",
        "settlement",
        "signalled",
    )

    def __init__(self, claimed: Claimed, queue: str) -> None:
        self.claimed = claimed
        self.queue = queue
        self.begun_at_ms = 0
        self.duration_ms: int | None = None
        self.is_begun = False
        self.is_cancelled = False
        self.is_given_back = False
        self.is_lost = False
        self.last_words: LastWords | None = None
        self.settlement: Settlement | None = None
        self.signalled: SignalledMessage | None = None

    @property
    def message(self) -> AttemptMessage:
        """The Dramatiq message of it."""
        return AttemptMessage(self)


class AttemptMessage(dramatiq.MessageProxy):
    """An attempt as Dramatiq's threads and middleware see it; spelled out when they look."""

    def __init__(self, attempt: Attempt) -> None:
        self.failed = False
        self._exception = None
        self.attempt = attempt

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - Dramatiq's
        if name == "_message":
            self._message = _message_of(self.attempt)
            return self._message
        return super().__getattr__(name)


def _message_of(attempt: Attempt) -> dramatiq.Message[None]:
    claimed = attempt.claimed
    return dramatiq.Message(
        queue_name=attempt.queue,
        actor_name=claimed.function,
        args=(attempt,),
        kwargs={},
        options={},
        message_id=claimed.id,
        message_timestamp=claimed.created_at_ms,
    )


def attempt_of(message: dramatiq.MessageProxy) -> Attempt:
    """Return the attempt of a message of this broker.

    Raises:
        TypeError: It is not one.
    """
    if not isinstance(message, AttemptMessage):
        raise TypeError(f"not a message of this broker: {message}")
    return message.attempt
