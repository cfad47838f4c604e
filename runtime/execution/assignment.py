"""What a worker knows of an attempt: what to run (`Assignment`), and how to settle it (`Outcome`).

An `Outcome` is the ending that was reported (`runtime.execution.outcome`), after the retry policy
(`runtime.execution.retry_decision`). Structs for speed: every attempt creates both.
"""

from __future__ import annotations

from typing import Literal

import msgspec

OutcomeStatus = Literal["succeeded", "failed", "retrying", "lost", "cancelled"]


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
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


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
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
