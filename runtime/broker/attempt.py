"""One attempt on its way through a worker.

Its arguments stay the bytes that the caller sent: nobody between the gateway and the runner needs
them decoded.
"""

from __future__ import annotations

from typing import Any, Protocol

from runtime.broker.message_proxy import MessageProxy
from runtime.store.invocation_commands import Claimed, Settlement
from runtime.store.scripts import Command


class PendingEvents(Protocol):
    """What an attempt tells while it runs, until it is written."""

    def is_full(self) -> bool:
        """Whether it comes faster than it is written."""

    def last_words(self, *, is_final: bool) -> list[Command[bool]]:
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
        settlement: How it ended, where that is known and not written yet.
        signalled: Its message, where `runtime.broker.middleware_signals` tells middleware of it.
    """

    __slots__ = (
        "begun_at_ms",
        "claimed",
        "duration_ms",
        "is_begun",
        "is_cancelled",
        "is_given_back",
        "is_lost",
        "pending_events",
        "queue",
        "run",
        "settlement",
        "signalled",
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
        self.settlement: Settlement | None = None
        self.signalled: MessageProxy | None = None
        self.pending_events: PendingEvents | None = None

    def last_words(self, *, is_final: bool) -> list[Command[bool]]:
        """Return what it has told and nobody has written; `is_final`: its invocation ends."""
        return (
            [] if self.pending_events is None else self.pending_events.last_words(is_final=is_final)
        )
