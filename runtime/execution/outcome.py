"""The values of one attempt: what to run (`Assignment`), how it ended (`Ending`, `Outcome`).

An `Ending` is reported by the process or thread that ran the attempt. An `Outcome` is what the
broker settles: the ending after the retry policy (`runtime.execution.retry_decision`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

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


class FaultFrame(NamedTuple):
    """One invalid argument; the wire form of `runtime.errors.ArgumentFault`."""

    pointer: str
    detail: str


class Ending(NamedTuple):
    """How the function call ended, before the retry policy is applied.

    Attributes:
        kind: "succeeded", "retry" (the function raised Retry), "cancelled", "lost", or an error
            type.
        exception_names: The exception's class and its bases, by full name, nearest first.
        after_s: With "retry": the delay that the function asked for, if it named one.
        faults: With "arguments_invalid": what is wrong with the arguments.
        left: What the attempt left running, as text; its runner then starts no more attempts.
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
"""The ending of nearly all attempts: success with a JSON result. One shared object."""


CANCELLED = Ending(kind="cancelled")


def timed_out(limit_s: float, traceback: str | None = None) -> Ending:
    """Return the ending of an attempt that has exceeded its timeout."""
    return Ending(kind="timeout", message=f"ran longer than {limit_s:g} s", traceback=traceback)


def ending_of_death(ended: Exit | None, why: Exception | None, when: str) -> Ending:
    """Return the ending of an attempt whose runner process is gone.

    Args:
        ended: How the process exited; None if it kept running after its channel closed.
        why: The error that broke the channel; None if the channel just closed.
        when: What the runner was doing, as text.
    """
    if isinstance(why, ChannelGarbledError) or ended is None:
        return Ending(kind="lost", message=f"the runner broke its channel {when}: {why}")
    if ended.code is None:
        return Ending(kind="lost", message=f"the runner was killed by signal {ended.signal} {when}")
    return Ending(kind="exited", message=f"the process exited with code {ended.code} {when}")


OutcomeStatus = Literal["succeeded", "failed", "retrying", "lost", "cancelled"]


class Assignment(NamedTuple):
    """Everything needed to run one attempt.

    Attributes:
        arguments: The argument object, as JSON.
        request: The encoded HTTP request, for functions that take it.
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


class Outcome(NamedTuple):
    """How an attempt ended, as the broker settles it.

    Attributes:
        status: "lost": the runner was killed by a signal that the worker did not send, or broke
            its channel, so nobody knows how far the function came. The broker counts these.
        error: JSON of {type, message, traceback, exception_type?, errors?}; also with "retrying".
        retry_after_ms: With "retrying": the delay before the next attempt.
        logs: What the function printed and logged.
        duration_ms: How long the function ran, as measured by its runner or thread.
    """

    status: OutcomeStatus
    result: bytes = b""
    result_type: str = "json"
    media_type: str = "application/json"
    error: bytes = b""
    retry_after_ms: int = 0
    logs: bytes = b""
    duration_ms: int = 0
