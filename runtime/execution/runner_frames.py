"""The frames between an executor and its runner: one there and one back per attempt.

    → load   bundle, limits                 once, first
    ← loaded ending                         kind "succeeded", or why not
    → run    start, arguments, request      one attempt
    ← log | progress | item | event   serial, payload      any number
    ← done   ending, result

What comes from a runner is not trusted: anything else is `ChannelGarbledError`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from runtime.errors import ChannelGarbledError
from runtime.execution.ending import Ending

LOAD: Final = b"load"
LOADED: Final = b"loaded"
RUN: Final = b"run"
DONE: Final = b"done"
LOG: Final = b"log"
PROGRESS: Final = b"progress"
ITEM: Final = b"item"
EVENT: Final = b"event"
NOTES: Final = frozenset({LOG, PROGRESS, ITEM, EVENT})


class Limits(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """What a runner enforces for each attempt; told once."""

    max_result_bytes: int
    max_log_bytes: int


class Start(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """The head of a `run` frame. `serial` marks what belongs to this attempt."""

    serial: int
    id: str
    function: str
    attempt: int
    timeout_s: float
    traceparent: str | None = None
    has_request: bool = False
    tracestate: str | None = None


encode = msgspec.msgpack.Encoder().encode
decode_limits = msgspec.msgpack.Decoder(Limits).decode
decode_start = msgspec.msgpack.Decoder(Start).decode
_decode_ending = msgspec.msgpack.Decoder(Ending).decode


def decode_ending(data: bytes) -> Ending:
    """Read an ending; raises ChannelGarbledError."""
    try:
        return _decode_ending(data)
    except msgspec.DecodeError as error:  # ValidationError is one
        raise ChannelGarbledError(f"not an ending: {error}") from error
