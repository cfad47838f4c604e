"""One attempt's two ends: what it is given, and how it ended.

The worker makes an `Assignment` of what it claimed and settles by the `Outcome`.
Arguments and result stay the bytes they are; only the runner looks inside.
"""

from __future__ import annotations

from typing import Literal

import msgspec

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
