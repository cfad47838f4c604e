"""One attempt on its way through a worker, and the Dramatiq message that carries it.

The message's one argument is the `Attempt`. Its arguments stay the bytes that the
caller sent: nobody between the gateway and the runner needs them decoded.
"""

from __future__ import annotations

import dramatiq

from runtime.store.invocation_calls import Claimed, Settlement


class Attempt:
    """What was claimed, and how it ended once that is known.

    An attempt that is acknowledged without a settlement goes back to its lane.
    """

    __slots__ = ("claimed", "is_begun", "is_given_back", "settlement")

    def __init__(self, claimed: Claimed) -> None:
        self.claimed = claimed
        self.is_begun = False
        self.is_given_back = False
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
