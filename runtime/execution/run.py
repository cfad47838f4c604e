"""One attempt inside the executor: what to run, where it is now, and how it ended.

    waiting in the pool ──► at a runner ──► ended      `Listener.on_ended`
            ▲                   │    └────► returned   `Listener.on_returned`: to the queue
            └── not started ────┘

The worker's loop thread changes a `Run`. With `isolation="thread"`, `Listener.on_note` is called
by the thread that runs the function.
"""

from __future__ import annotations

from typing import Protocol

from runtime.errors import ChannelGarbledError
from runtime.execution.assignment import Assignment
from runtime.execution.outcome import CANCELLED, Ending
from runtime.execution.runner_protocol import RUN, RunnerLimits
from runtime.execution.thread_logs import AttemptLogs
from runtime.execution.worker_codec import encode
from runtime.processes.frames import pack
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest


class Listener(Protocol):
    """Receives what happens to attempts, on the loop thread unless stated otherwise."""

    def on_note(self, run: Run, kind: str, payload: bytes) -> None:
        """Receive an event of kind "log", "progress", "item" or "event"; from any thread."""

    def is_full(self, run: Run) -> bool:
        """Whether events arrive faster than they are written: the sender should pause."""

    def on_ended(self, run: Run) -> None:
        """The attempt has finished: read `run.ending` and `run.result`."""

    def on_returned(self, run: Run) -> None:
        """The attempt did not start here, or did not cause its runner's death: queue it again."""


class Run:
    """One attempt.

    Args:
        assignment: What to run.
        manifest: Of the function.
        bundle: The function's source.
        listener: Receives its events and its ending.
        owner: The listener's own object for this attempt.
        created_at: When the executor received it, by the monotonic clock.

    Attributes:
        serial: Its number in the channel, set when it is sent; no two runs of a worker share one.
        sent_at: When it was sent to its runner, by the monotonic clock.
        tries: How many runners died before they had read it.
        is_cancelled: Cancelled before it finished; its ending is then "cancelled" whatever it did.
        where: What holds it: a `Runner`, a `ThreadRun`, or while it waits a `RunnerNeed`; None
            before and after.
        output: The output that was kept, None without any.
        ending, result, ran_s: How it ended, its result and its run time; set when it has finished.
    """

    __slots__ = (
        "_item_bytes",
        "assignment",
        "bundle",
        "created_at",
        "ending",
        "is_cancelled",
        "listener",
        "manifest",
        "output",
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
        self.output: AttemptLogs | None = None
        self._item_bytes = 0

    def frame(self, *, burst: int = 0, has_more: bool = False, per_process: int = 1) -> bytes:
        """Return the `run` frame that starts it in its runner, packed."""
        one = self.assignment
        start = (  # the fields of `Start`, without making one for each call
            self.serial,
            one.id,
            one.function,
            one.attempt,
            self.manifest.options.timeout_s,
            one.traceparent,
            one.request is not None,
            one.tracestate,
            burst,
            has_more,
            per_process,
        )
        return pack(RUN, encode(start), one.arguments, one.request or b"")

    def send(self, kind: str, payload: bytes, limits: RunnerLimits) -> None:
        """Pass an event to the listener, cut to what an honest runner would send.

        Raises:
            ChannelGarbledError: The items exceed the result size limit.
        """
        if kind == "log":
            if self.output is None:
                self.output = AttemptLogs(limits.max_log_bytes)
            payload = self.output.add(payload)
            if not payload:
                return
        elif kind == "item":
            self._item_bytes += len(payload)
            if self._item_bytes > limits.max_result_bytes:
                raise ChannelGarbledError("the items exceed the result size limit")
        self.listener.on_note(self, kind, payload)

    @property
    def logs(self) -> bytes:
        """The output that was kept."""
        return b"" if self.output is None else self.output.text()

    def end(self, ending: Ending, result: bytes = b"") -> None:
        """Finish it; a cancellation that came before the ending wins."""
        self.where = None
        self.ending = CANCELLED if self.is_cancelled else ending
        self.result = b"" if self.is_cancelled else result
        self.listener.on_ended(self)

    def requeue(self) -> None:
        """Return it to the queue: it did not start, or did not cause its runner's death."""
        self.where = None
        if self.is_cancelled:
            self.end(CANCELLED)
        else:
            self.listener.on_returned(self)
