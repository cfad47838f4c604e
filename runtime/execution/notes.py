"""The context that a function gets; it encodes progress and events as JSON of limited length.

Used by both backends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from runtime.execution.runner_protocol import EVENT, MAX_EVENT_BYTES, PROGRESS, Start
from runtime.sdk.context import Context, Number

if TYPE_CHECKING:  # a runner knows only what it was sent
    from runtime.execution.assignment import Assignment

NO_CONTEXT = Context()  # for functions that take none


def context_of(
    one: Start | Assignment,
    report: Callable[[bytes, bytes], None],
    *,
    timeout_s: float,
    log: logging.Logger,
    is_cancelled: Callable[[], bool] | None = None,
) -> Context:
    """Return the context of an attempt; `report` gets a kind of frame and its payload."""

    def progress(done: Number, total: Number | None, message: str) -> None:
        report(PROGRESS, encode_progress(done, total, message))

    return Context(
        id=one.id,
        function=one.function,
        attempt=one.attempt,
        timeout_s=timeout_s,
        traceparent=one.traceparent,
        tracestate=one.tracestate,
        on_progress=progress,
        on_event=lambda event: report(EVENT, encode_event(event)),
        is_cancelled=is_cancelled,
        log=log,
    )


def encode_event(value: object) -> bytes:
    """Return an event as JSON.

    Raises:
        TypeError: It has no JSON form.
        ValueError: It is too long, or is not strict JSON, for example because a key repeats.
    """
    # A worker at rest has not loaded pydantic; the process that runs a function has.
    from pydantic_core import PydanticSerializationError, to_json  # noqa: PLC0415

    from runtime.registry import strict_output  # noqa: PLC0415

    try:
        payload = to_json(value, bytes_mode="base64", inf_nan_mode="null")
    except PydanticSerializationError as error:
        raise TypeError(str(error)) from None
    strict_output.decode(payload)
    if len(payload) > MAX_EVENT_BYTES:
        raise ValueError(f"{len(payload)} bytes; at most {MAX_EVENT_BYTES} can be sent")
    return payload


def encode_progress(done: Number, total: Number | None, message: str) -> bytes:
    """Return progress as JSON; raises ValueError if the message is too long."""
    return encode_event({"done": done, "total": total, "message": message})
