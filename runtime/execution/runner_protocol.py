"""The frames between a worker and its runner process.

    → load   limits, bundle                 the first frame, once; answered with serial 0
    → run    start, arguments, request      one attempt
    → stop   serial, reason                 concurrent attempts only: end this one
    ← log | progress | item | event   serial, payload      any number
    ← done   serial, ending, result, microseconds          one per attempt
    ← full   ending                         out of memory, even for reading the next frame

Sequential attempts are answered in the order of sending, concurrent ones in any order. Events that
no attempt can be found for have serial 0. User code can write to the channel, so the worker checks
every frame and raises `ChannelGarbledError` for anything else. Results, items, progress and events
are copied into records, lists and callbacks as they are, so each is decoded once here.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from runtime.errors import ChannelGarbledError
from runtime.execution.outcome import SUCCEEDED, Ending
from runtime.strict_json import ERRORS, is_plain, parse

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
MAX_EVENT_BYTES: Final = 262_144
EVENTS: Final = frozenset({LOG, PROGRESS, ITEM, EVENT})
PARTS: Final = {DONE: 5, FULL: 2, LOG: 3, PROGRESS: 3, ITEM: 3, EVENT: 3}
LOADING: Final = 0
# Endings after which the runner may start another attempt; after any other it starts none. With
# concurrent attempts, "exited" and an ending that the worker asked for are harmless too.
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
_JSON: Final = "application/json"
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(;[ -~]{0,200})?")
# Endings that only the worker decides on; a runner may not report them.
_NOT_ITS_OWN = frozenset({"cancelled", "lost"})


class RunnerLimits(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """The limits a runner enforces for each attempt; sent once, with `load`.

    Attributes:
        loop_stall_s: A step of the event loop that takes longer puts a warning into the log of
            its attempt.
    """

    max_result_bytes: int
    max_log_bytes: int
    loop_stall_s: float = 1.0


class Start(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """The first part of a `run` frame.

    Attributes:
        serial: Identifies the attempt in all other frames.
        burst: The serial of the first attempt of its burst (attempts sent together); 0 if sent
            alone. The runner takes one ticket before each attempt of a burst and skips the
            attempt if there is none.
        has_more: More of the burst follow, so its answer need not wake the worker.
        per_process: How many attempts may run at the same time; 1 for sequential attempts.
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
    """Encode an ending."""
    return _SUCCEEDED if ending is SUCCEEDED else encode(ending)


def decode_ending(data: bytes) -> Ending:
    """Decode an ending; raises ChannelGarbledError."""
    if data == _SUCCEEDED:
        return SUCCEEDED
    if len(data) > MAX_ENDING_BYTES:
        raise ChannelGarbledError(
            f"an ending of {len(data)} bytes; the limit is {MAX_ENDING_BYTES}"
        )
    try:
        return _decode_ending(data)
    except msgspec.DecodeError as error:  # or its subclass ValidationError
        raise ChannelGarbledError(f"not an ending: {error}") from error


def number_of(text: bytes) -> int:
    """Decode a serial or a number of microseconds; raises ChannelGarbledError."""
    if len(text) > _MOST_DIGITS:
        raise ChannelGarbledError(f"a number of {len(text)} digits")
    try:
        return int(text)
    except ValueError as error:
        raise ChannelGarbledError("not a number") from error


def check_answer(ending: Ending, result: bytes) -> None:
    """Check that a result fits its ending; raises ChannelGarbledError."""
    if ending.kind == "succeeded":
        if ending.result_type == "json" and ending.media_type == _JSON:
            try:
                value = parse(result)
            except ERRORS as error:
                raise ChannelGarbledError(f"a result is not JSON: {error}") from error
            # Without brackets, nothing is nested and no key repeats.
            if b"{" in result or b"[" in result:
                _check_shape(result, value, "a result")
        elif ending.result_type != "bytes" or not _MEDIA_TYPE.fullmatch(ending.media_type):
            raise ChannelGarbledError("a result is neither JSON nor bytes")
    elif ending.kind in _NOT_ITS_OWN:
        raise ChannelGarbledError(f"a runner may not report {ending.kind!r}")


def check_event(kind: str, payload: bytes) -> None:
    """Check that an event may be stored; raises ChannelGarbledError."""
    if kind == "log":
        return
    if kind != "item" and len(payload) > MAX_EVENT_BYTES:
        raise ChannelGarbledError(f"{kind} of {len(payload)} bytes; the limit is {MAX_EVENT_BYTES}")
    try:
        value = parse(payload)
    except ERRORS as error:
        raise ChannelGarbledError(f"{kind} is not JSON: {error}") from error
    _check_shape(payload, value, kind)
    if kind == "progress" and type(value) is not dict:
        raise ChannelGarbledError("progress is not an object")


def _check_shape(text: bytes, value: object, what: str) -> None:
    if not is_plain(text, value):
        raise ChannelGarbledError(f"{what} is nested too deeply or repeats a key in an object")
