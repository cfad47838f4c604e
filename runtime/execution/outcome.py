"""How an attempt ended, as the process or thread that ran it reports it (`Ending`).

Runners load this module, so it needs nothing but the standard library.
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
