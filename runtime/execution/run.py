"""One attempt on its way through execution: what is to be run, and what became of it."""

from __future__ import annotations

from typing import Protocol

from runtime.errors import ChannelGarbledError
from runtime.execution.outcome import Assignment, Ending
from runtime.execution.runner_output import truncation_mark
from runtime.execution.runner_protocol import RUN, RunnerLimits, Start, encode
from runtime.processes.channel import pack
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest


class Listener(Protocol):
    """Who is told of attempts, in the loop's thread unless said otherwise."""

    def on_note(self, run: Run, kind: str, payload: bytes) -> None:
        """It tells something: "log", "progress", "item" or "event"; from a thread it may be."""

    def is_full(self, run: Run) -> bool:
        """Whether it tells faster than that is written: it should wait a moment."""

    def on_ended(self, run: Run) -> None:
        """It is over: `run.ending`, `run.result`."""

    def on_returned(self, run: Run) -> None:
        """It was not begun here, or is not to blame for the death of its runner; nobody has it."""


class Run:
    """One attempt.

    Args:
        assignment: What to run.
        manifest: Of the function.
        bundle: Its source.
        listener: Who is told of it.
        owner: Whatever the listener knows it by.

    Attributes:
        serial: Its number at its runner, once it lies with one.
        sent_at: When it was sent there, by the monotonic clock.
        created_at: When it came here.
        tries: How many runners ended before they had begun it.
        is_cancelled: It was cancelled before it was over; its ending says so whatever it did.
        where: The runner or the lane that has it; None while it waits for one.
        ending, result, ran_s: How it ended, once it has.
    """

    __slots__ = (
        "_item_bytes",
        "_log_bytes",
        "_logs",
        "assignment",
        "bundle",
        "created_at",
        "ending",
        "is_cancelled",
        "listener",
        "manifest",
        "owner",
        "ran_s",
        "result",
        "sent_at",
        "serial",
        "tries",
        "where",
    )

    def __init__(
        self,
        assignment: Assignment,
        manifest: Manifest,
        bundle: Bundle,
        listener: Listener,
        *,
        owner: object = None,
        created_at: float = 0.0,
    ) -> None:
        self.assignment = assignment
        self.manifest = manifest
        self.bundle = bundle
        self.listener = listener
        self.owner = owner
        self.created_at = created_at
        self.serial = 0
        self.sent_at = 0.0
        self.tries = 0
        self.is_cancelled = False
        self.where: object = None
        self.ending: Ending | None = None
        self.result = b""
        self.ran_s = 0.0
        self._logs: list[bytes] | None = None
        self._log_bytes = 0
        self._item_bytes = 0

    def frame(self, *, burst: int = 0, has_more: bool = False, per_process: int = 1) -> bytes:
        """Return the frame that begins it in its runner, as it is sent."""
        one = self.assignment
        start = Start(
            serial=self.serial,
            id=one.id,
            function=one.function,
            attempt=one.attempt,
            timeout_s=self.manifest.options.timeout_s,
            traceparent=one.traceparent,
            tracestate=one.tracestate,
            has_request=one.request is not None,
            burst=burst,
            has_more=has_more,
            per_process=per_process,
        )
        return pack(RUN, encode(start), one.arguments, one.request or b"")

    def send(self, kind: str, payload: bytes, limits: RunnerLimits) -> None:
        """Pass on what it tells, no more of it than an honest runner sends.

        Raises:
            ChannelGarbledError: It tells more items than a result holds.
        """
        if kind == "log":
            most_bytes = limits.max_log_bytes
            room = most_bytes + len(truncation_mark(most_bytes)) - self._log_bytes
            payload = payload[: max(room, 0)]
            if not payload:
                return
            if self._logs is None:
                self._logs = []
            self._logs.append(payload)
            self._log_bytes += len(payload)
        elif kind == "item":
            self._item_bytes += len(payload)
            if self._item_bytes > limits.max_result_bytes:
                raise ChannelGarbledError("more items than a result holds")
        self.listener.on_note(self, kind, payload)

    def keep_logs(self, text: bytes) -> None:
        """Keep what it has printed, where that was not told piece by piece."""
        self._logs = [text] if text else None

    @property
    def logs(self) -> bytes:
        """What it has printed and logged, as much as is kept."""
        return b"".join(self._logs) if self._logs else b""

    def end(self, ending: Ending, result: bytes = b"") -> None:
        """It is over; a cancellation that came in time wins."""
        self.where = None
        self.ending = Ending(kind="cancelled") if self.is_cancelled else ending
        self.result = b"" if self.is_cancelled else result
        self.listener.on_ended(self)

    def requeue(self) -> None:
        """It goes back: it has not begun, or is not to blame for what ended its runner."""
        self.where = None
        if self.is_cancelled:
            self.end(Ending(kind="cancelled"))
        else:
            self.listener.on_returned(self)
