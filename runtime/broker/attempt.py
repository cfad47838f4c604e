"""One attempt on its way through a worker, and the Dramatiq message that carries it.

The message's one argument is the `Attempt`. Its arguments stay the bytes that the
caller sent: nobody between the gateway and the runner needs them decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dramatiq

from runtime.store.invocation_calls import Claimed, Settlement
from runtime.store.scripts import Call

LastWords = Callable[[bool], Sequence[Call[bool]]]


class Attempt:
    """What was claimed, and how it ended once that is known.

    An attempt that is acknowledged without a settlement goes back to its lane.

    Attributes:
        duration_ms: How long it ran, once it has.
        begun_at_ms: When its run began, by the worker's clock: for people, not for judging.
        is_cancelled: A caller has cancelled it.
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
        "last_words",
        "settlement",
    )

    def __init__(self, claimed: Claimed) -> None:
        self.claimed = claimed
        self.begun_at_ms = 0
        self.duration_ms: int | None = None
        self.is_begun = False
        self.is_cancelled = False
        self.is_given_back = False
        self.last_words: LastWords | None = None
        self.settlement: Settlement | None = None


def message_of(attempt: Attempt, queue: str) -> dramatiq.MessageProxy:
    """Wrap an attempt for Dramatiq's worker threads."""
    claimed = attempt.claimed
    message: dramatiq.Message[None] = dramatiq.Message(
        queue_name=queue,
        actor_name=claimed.function,
        args=(attempt,),
        kwargs={},
        options={},
        message_id=claimed.id,
        message_timestamp=claimed.created_at_ms,
    )
    return dramatiq.MessageProxy(message)


def attempt_of(message: dramatiq.MessageProxy) -> Attempt:
    """Return what `message_of` wrapped."""
    [attempt] = message.args
    if not isinstance(attempt, Attempt):
        raise TypeError(f"not a message of this broker: {message}")
    return attempt
