"""Checks what a runner sends before it is stored: user code can write to the channel, too.

Results, items, progress and events are copied into records, lists and callbacks as they are. So
each is decoded once here. Anything that is not JSON ends the attempt, like a broken channel.
"""

from __future__ import annotations

import re
from typing import Final

from runtime.errors import ChannelGarbledError
from runtime.execution.notes import MAX_EVENT_BYTES
from runtime.execution.outcome import Ending
from runtime.strict_json import ERRORS, is_plain, parse

_JSON: Final = "application/json"
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(;[ -~]{0,200})?")
# Endings that only the worker decides on; a runner may not report them.
_NOT_ITS_OWN = frozenset({"cancelled", "lost"})


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
