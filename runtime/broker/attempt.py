"""One attempt on its way through a worker, and the Dramatiq message that carries it.

The message's one argument is the `Attempt`. Its arguments stay the bytes that the
caller sent: nobody between the gateway and the runner needs them decoded.
"""

from __future__ import annotations

from typing import Any, Protocol

import dramatiq

from runtime.store.invocation_calls import Claimed
from runtime.store.scripts import Call


class Telling(Protocol):
    """What an attempt tells while it runs, until it is written."""

    def last_words(self, *, is_final: bool) -> list[Call[bool]]:
        """Close, and return what must be written before the attempt's ending is."""


class Attempt:
    """What was claimed, and what became of it.

    Args:
        claimed: What the claim brought.
        queue: The queue it was claimed from.

    Attributes:
        run: It in execution, once it is there.
        begun_at_ms: When it was handed over to run, by the worker's clock: for people, not for
            judging.
        duration_ms: How long it ran, once it has.
        is_begun: It counts as an attempt if it is given back.
        is_cancelled: A caller has cancelled it.
        is_given_back: The worker drains and ends it: unless it has succeeded, it goes back.
        is_lost: Its lease is somebody else's by now.
        telling: What it tells, if it has told anything.
    """

    __slots__ = (
        "begun_at_ms",
        "claimed",
        "duration_ms",
        "is_begun",
        "is_cancelled",
        "is_given_back",
        "is_lost",
        "queue",
        "run",
        "telling",
    )

    def __init__(self, claimed: Claimed, queue: str) -> None:
        self.claimed = claimed
        self.queue = queue
        self.run: Any = None
        self.begun_at_ms = 0
        self.duration_ms: int | None = None
        self.is_begun = False
        self.is_cancelled = False
        self.is_given_back = False
        self.is_lost = False
        self.telling: Telling | None = None

    def last_words(self, *, is_final: bool) -> list[Call[bool]]:
        """Return what it has told and nobody has written; `is_final`: its invocation ends."""
        return [] if self.telling is None else self.telling.last_words(is_final=is_final)

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
