"""The frames between an executor and its runner: one there and one back per attempt.

    → load   limits, bundle                 once, first; its serial is 0
    → run    start, arguments, request      one attempt
    → stop   serial, why                    end it; of concurrent attempts only
    ← log | progress | item | event   serial, payload      any number
    ← done   serial, ending, result, microseconds
    ← full   ending                         no memory, not even to read the next one

Answers come in the order in which attempts were sent, those of concurrent attempts in any order.
What is said in a runner and belongs to no attempt that can be told has the serial 0. What comes
from a runner is not trusted: anything else is `ChannelGarbledError`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from runtime.errors import ChannelGarbledError
from runtime.execution.outcome import SUCCEEDED, Ending

LOAD: Final = b"load"
RUN: Final = b"run"
STOP: Final = b"stop"
DONE: Final = b"done"
FULL: Final = b"full"
LOG: Final = b"log"
PROGRESS: Final = b"progress"
ITEM: Final = b"item"
EVENT: Final = b"event"
MAX_ENDING_BYTES: Final = 1_048_576
EVENTS: Final = frozenset({LOG, PROGRESS, ITEM, EVENT})
PARTS: Final = {DONE: 5, FULL: 2, LOG: 3, PROGRESS: 3, ITEM: 3, EVENT: 3}
LOADING: Final = 0
# After these the runner is as good as before; after all others it begins no more. A concurrent
# attempt that exits, or ends when it is asked to, does not harm its runner either.
HARMLESS: Final = frozenset(
    {
        "succeeded",
        "retry",
        "rejected",
        "arguments_invalid",
        "exception",
        "result_not_serializable",
        "result_too_large",
    }
)
TIMEOUT: Final = b"timeout"
CANCELLED: Final = b"cancelled"
_MOST_DIGITS: Final = 20


class RunnerLimits(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """What a runner enforces for each attempt; told once.

    Attributes:
        loop_stall_s: An attempt that keeps the event loop for longer is warned in its log.
    """

    max_result_bytes: int
    max_log_bytes: int
    loop_stall_s: float = 1.0


class Start(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """The head of a `run` frame.

    Attributes:
        serial: Marks what belongs to this attempt.
        burst: The serial of the first of those that were sent with it; 0 if it was sent alone.
            Of a burst, each takes a ticket before it begins, and is passed over without one.
        has_more: Others of its burst lie behind it, so that nobody need be woken when it ends.
        per_process: How many attempts may run at the same time; with 1 they run one by one.
    """

    serial: int
    id: str
    function: str
    attempt: int
    timeout_s: float
    traceparent: str | None = None
    has_request: bool = False
    tracestate: str | None = None
    burst: int = 0
    has_more: bool = False
    per_process: int = 1


encode = msgspec.msgpack.Encoder().encode
decode_limits = msgspec.msgpack.Decoder(RunnerLimits).decode
decode_start = msgspec.msgpack.Decoder(Start).decode
_decode_ending = msgspec.msgpack.Decoder(Ending).decode
_SUCCEEDED = encode(SUCCEEDED)


def encode_ending(ending: Ending) -> bytes:
    """Write an ending."""
    return _SUCCEEDED if ending is SUCCEEDED else encode(ending)


def decode_ending(data: bytes) -> Ending:
    """Read an ending; raises ChannelGarbledError."""
    if data == _SUCCEEDED:
        return SUCCEEDED
    if len(data) > MAX_ENDING_BYTES:
        raise ChannelGarbledError(f"an ending of {len(data)} bytes")
    try:
        return _decode_ending(data)
    except msgspec.DecodeError as error:  # ValidationError is one
        raise ChannelGarbledError(f"not an ending: {error}") from error


def number_of(text: bytes) -> int:
    """Read a serial, or a number of microseconds; raises ChannelGarbledError."""
    if len(text) > _MOST_DIGITS:
        raise ChannelGarbledError(f"a number of {len(text)} digits")
    try:
        return int(text)
    except ValueError as error:
        raise ChannelGarbledError("no number where there must be one") from error
