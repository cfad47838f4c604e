"""The worker's side of frames: code what goes to a runner, and check what comes from it.

User code can write to the channel, so every frame is checked, and anything else raises
`ChannelGarbledError`. Results, items, progress and events are copied into records, lists and
callbacks as they are, so each is decoded once here.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from runtime import strict_json
from runtime.errors import ChannelGarbledError
from runtime.execution.outcome import SUCCEEDED, Ending
from runtime.execution.runner_protocol import MAX_ENDING_BYTES, MAX_EVENT_BYTES
from runtime.json_shape import is_plain
from runtime.sdk.response import decode_response

_MOST_DIGITS: Final = 20
_JSON: Final = "application/json"
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(;[ -~]{0,200})?")
# Endings that only the worker decides on; a runner may not report them.
_NOT_ITS_OWN = frozenset({"cancelled", "lost"})

encode = msgspec.json.Encoder().encode
_decode_ending = msgspec.json.Decoder(Ending).decode
_SUCCEEDED = encode(SUCCEEDED)


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
                value = strict_json.parse(result)
            except strict_json.ERRORS as error:
                raise ChannelGarbledError(f"a result is not JSON: {error}") from error
            # Without brackets, nothing is nested and no key repeats.
            if b"{" in result or b"[" in result:
                _check_shape(result, value, "a result")
        elif ending.result_type == "response":
            _check_response(result)
        elif ending.result_type != "bytes" or not _MEDIA_TYPE.fullmatch(ending.media_type):
            raise ChannelGarbledError("a result is neither JSON, bytes nor a response")
    elif ending.kind in _NOT_ITS_OWN:
        raise ChannelGarbledError(f"a runner may not report {ending.kind!r}")


def _check_response(result: bytes) -> None:
    try:
        decode_response(result)
    except (ValueError, RecursionError) as error:
        raise ChannelGarbledError(f"a result is not a response: {error}") from error


def check_event(kind: str, payload: bytes) -> None:
    """Check that an event may be stored; raises ChannelGarbledError."""
    if kind == "log":
        return
    if kind != "item" and len(payload) > MAX_EVENT_BYTES:
        raise ChannelGarbledError(f"{kind} of {len(payload)} bytes; the limit is {MAX_EVENT_BYTES}")
    try:
        value = strict_json.parse(payload)
    except strict_json.ERRORS as error:
        raise ChannelGarbledError(f"{kind} is not JSON: {error}") from error
    _check_shape(payload, value, kind)
    if kind == "progress" and type(value) is not dict:
        raise ChannelGarbledError("progress is not an object")


def _check_shape(text: bytes, value: object, what: str) -> None:
    if not is_plain(text, value, strict_json.encode):
        raise ChannelGarbledError(f"{what} is nested too deeply or repeats a key in an object")
