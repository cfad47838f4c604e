"""Whether what a runner says may be kept: user code may write to its channel, too.

Results, items, progress and events are spliced into records, lists and callbacks as they are.
So each is decoded once here; what is no JSON ends the attempt, as a broken channel does.
"""

from __future__ import annotations

import re
from typing import Final

from runtime import strict_json
from runtime.errors import ChannelGarbledError
from runtime.execution.ending import Ending
from runtime.execution.notes import MAX_NOTE_BYTES

_JSON: Final = "application/json"
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(;[ -~]{0,200})?")
# Who kills a runner or takes an attempt back says so; it does not say it of itself.
_NOT_ITS_OWN = frozenset({"cancelled", "lost"})


def check_answer(ending: Ending, result: bytes) -> None:
    """Pass if a result is what the ending says; raises ChannelGarbledError."""
    if ending.kind in _NOT_ITS_OWN:
        raise ChannelGarbledError(f"a runner said {ending.kind!r} of its attempt")
    if ending.kind != "succeeded":
        return
    if ending.result_type == "json" and ending.media_type == _JSON:
        _decode(result, "a result")
    elif ending.result_type != "bytes" or not _MEDIA_TYPE.fullmatch(ending.media_type):
        raise ChannelGarbledError("a result is said to be neither JSON nor bytes")


def check_note(kind: str, payload: bytes) -> None:
    """Pass if what an attempt tells may be kept; raises ChannelGarbledError."""
    if kind == "log":
        return
    if kind != "item" and len(payload) > MAX_NOTE_BYTES:
        raise ChannelGarbledError(f"{len(payload)} bytes of {kind}")
    value = _decode(payload, f"what is said as {kind}")
    if kind == "progress" and type(value) is not dict:
        raise ChannelGarbledError("progress is no object")


def _decode(text: bytes, what: str) -> object:
    try:
        return strict_json.decode(text)
    except ValueError as error:
        raise ChannelGarbledError(f"{what} is {error}") from error
