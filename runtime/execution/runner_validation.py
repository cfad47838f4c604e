"""Whether what a runner says may be kept: user code may write to its channel, too.

Results, items, progress and events are spliced into records, lists and callbacks as they are.
So each is decoded once here; what is no JSON ends the attempt, as a broken channel does.
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
# Who kills a runner or takes an attempt back says so; it does not say it of itself.
_NOT_ITS_OWN = frozenset({"cancelled", "lost"})


def check_answer(ending: Ending, result: bytes) -> None:
    """Pass if a result is what the ending says; raises ChannelGarbledError."""
    if ending.kind == "succeeded":
        if ending.result_type == "json" and ending.media_type == _JSON:
            try:
                value = parse(result)
            except ERRORS as error:
                raise ChannelGarbledError(f"a result is no JSON: {error}") from error
            # What has no brackets has no keys, and most results have none or few.
            if b"{" in result or b"[" in result:
                _check_shape(result, value, "a result")
        elif ending.result_type != "bytes" or not _MEDIA_TYPE.fullmatch(ending.media_type):
            raise ChannelGarbledError("a result is said to be neither JSON nor bytes")
    elif ending.kind in _NOT_ITS_OWN:
        raise ChannelGarbledError(f"a runner said {ending.kind!r} of its attempt")


def check_event(kind: str, payload: bytes) -> None:
    """Pass if what an attempt tells may be kept; raises ChannelGarbledError."""
    if kind == "log":
        return
    if kind != "item" and len(payload) > MAX_EVENT_BYTES:
        raise ChannelGarbledError(f"{len(payload)} bytes of {kind}")
    try:
        value = parse(payload)
    except ERRORS as error:
        raise ChannelGarbledError(f"what is said as {kind} is no JSON: {error}") from error
    _check_shape(payload, value, f"what is said as {kind}")
    if kind == "progress" and type(value) is not dict:
        raise ChannelGarbledError("progress is no object")


def _check_shape(text: bytes, value: object, what: str) -> None:
    if not is_plain(text, value):
        raise ChannelGarbledError(f"{what} is nested too deep, or has a key twice in one object")
