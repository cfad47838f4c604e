"""One claimed attempt, from the claim until its settlement is written.

Shared by the broker and `runtime.worker.attempts`, which draws its states. The arguments stay the
bytes that the caller sent: only the runner decodes them.
"""

from __future__ import annotations

from typing import Any, Protocol

from runtime.broker.message_proxy import MessageProxy
from runtime.store.invocation_commands import Claimed, Settlement
from runtime.store.scripts import Command


class PendingEvents(Protocol):
    """The output and events of a running attempt that are not in Redis yet."""

    def is_full(self) -> bool:
        """Whether events come faster than they are written."""

    def last_words(self, *, is_final: bool) -> list[Command[bool]]:
        """Close, and return the commands that must run before the attempt's settlement."""


class Attempt:
    """What was claimed, and what became of it.

    The loop thread writes every field, except `pending_events`.

    Args:
        claimed: What the claim script returned.
        queue: The queue it was claimed from.

    Attributes:
        run: Its run while the executor has it, else None.
        begun_at_ms: When it was handed to the executor, by the worker's clock; only for display.
        duration_ms: How long it ran; None until it has ended.
        is_begun: Whether it keeps its attempt number if it is requeued.
        is_cancelled: Whether a caller has cancelled it.
        is_given_back: Whether the drain time is over: unless it succeeds, it is requeued.
        is_lost: Whether its lease belongs to another attempt.
        pending_events: Its event buffer, None until it has output. Any thread may create it, under
            the lock of `runtime.worker.event_writer.EventWriter`; nobody replaces it.
        settlement: How it ended, where middleware sees it before it is written.
        signalled: Its message for Dramatiq's middleware, once `before_process_message` is due.
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
        """Close its event buffer; return the commands that write the rest of it.

        `is_final` says that the invocation ends with this attempt.
        """
        return (
            [] if self.pending_events is None else self.pending_events.last_words(is_final=is_final)
        )
