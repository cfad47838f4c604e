"""How an attempt ended, as told by the process or thread that ran it.

Between the runner child and the executor, and within the thread lane. It says what
happened; whether that means another attempt is judged by `runtime.execution.retry_decision`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from runtime.errors import ChannelGarbledError
from runtime.processes.child_control import Exit

EndingKind = Literal[
    "succeeded",
    "retry",
    "rejected",
    "arguments_invalid",
    "exception",
    "exited",
    "timeout",
    "out_of_memory",
    "result_not_serializable",
    "result_too_large",
    "cancelled",
    "lost",
]


class FaultFrame(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """One wrong argument, as `runtime.errors.ArgumentFault` says it."""

    pointer: str
    detail: str


class Ending(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """What happened.

    Attributes:
        kind: "succeeded", "retry" (asked for), "cancelled", "lost", or an error type.
        exception_names: The exception's class and its bases, by name, nearest first.
        after_s: When "retry" says how long to wait.
        faults: What is wrong with the arguments when they are "arguments_invalid".
        left: What the attempt has left running, in words; its runner begins nothing more.
    """

    kind: EndingKind
    result_type: str = "json"
    media_type: str = "application/json"
    message: str = ""
    traceback: str | None = None
    exception_names: tuple[str, ...] = ()
    after_s: float | None = None
    faults: tuple[FaultFrame, ...] = ()
    left: str = ""


SUCCEEDED = Ending(kind="succeeded")
"""With a JSON result: how nearly all attempts end, made once."""


def ending_of_death(ended: Exit | None, why: Exception | None, when: str) -> Ending:
    """Return how an attempt has ended whose runner is gone.

    Args:
        ended: How its process did; None if it lived on without its channel.
        why: What broke the channel, where that was more than its end.
        when: What the runner was at, in words.
    """
    if isinstance(why, ChannelGarbledError) or ended is None:
        return Ending(kind="lost", message=f"the runner broke its channel {when}: {why}")
    if ended.code is None:
        return Ending(kind="lost", message=f"the runner died by signal {ended.signal} {when}")
    return Ending(kind="exited", message=f"the process exited with code {ended.code} {when}")


OutcomeStatus = Literal["succeeded", "failed", "retrying", "lost", "cancelled"]


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """Everything needed to run one attempt.

    Attributes:
        arguments: The argument object, as JSON.
        request: The raw HTTP request, encoded, for functions that want it.
    """

    id: str
    function: str
    version: str
    attempt: int
    arguments: bytes
    request: bytes | None = None
    created_at_ms: int = 0
    traceparent: str | None = None
    tracestate: str | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended.

    Attributes:
        status: "lost" means that the runner died by a signal that was not ours, or broke
            its channel: nobody knows how far it came. The broker counts these.
        error: JSON of {type, message, traceback, exception_type?, errors?}; also with "retrying".
        retry_after_ms: With "retrying": when to try again.
        logs: What the function printed and logged.
        duration_ms: From the frame to the runner until its answer.
    """

    status: OutcomeStatus
    result: bytes = b""
    result_type: str = "json"
    media_type: str = "application/json"
    error: bytes = b""
    retry_after_ms: int = 0
    logs: bytes = b""
    duration_ms: int = 0
