"""The type, message and traceback of an exception of user code, as its author sees them.

Frames of the runtime are left out, so a traceback starts in the function's file. All texts have a
length limit: an exception may carry megabytes, or raise when it is converted to text.
"""

from __future__ import annotations

import asyncio
import traceback
from pathlib import Path

from runtime.execution.thread_interrupt import ThreadInterrupt
from runtime.sdk.exception_names import full_name, name_of, plain

MAX_TRACEBACK_CHARACTERS = 16_384
MAX_MESSAGE_CHARACTERS = 8_192
_RUNTIME = f"{Path(__file__).resolve().parents[1]}/"
_EVENT_LOOP = f"{Path(asyncio.__file__).resolve().parent}/"
_MARK = "\n… {count} characters left out …\n"


def type_names(error: BaseException) -> tuple[str, ...]:
    """Return the full names of the exception's class and its bases, nearest first."""
    bases = type.__dict__["__mro__"].__get__(type(error))
    return tuple(full_name(kind) for kind in bases if kind is not object)


def message_of(error: BaseException) -> str:
    """Return the exception's text, even if converting it fails."""
    try:
        text = str(error)
    except ThreadInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - __str__ is user code
        text = f"<{name_of(type(error))} that cannot be shown as text>"
    return shorten(to_unicode(plain(text)), MAX_MESSAGE_CHARACTERS)


def traceback_of(error: BaseException) -> str | None:
    """Return the traceback without frames of the runtime; None if it cannot be made."""
    try:
        described = traceback.TracebackException.from_exception(error, compact=True)
        _trim(described, seen=set())
        text = "".join(described.format())
    except ThreadInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - exceptions may override anything
        return None
    return shorten(to_unicode(text), MAX_TRACEBACK_CHARACTERS)


def is_of_runtime(filename: str) -> bool:
    """Whether a frame of this file belongs to the runtime or to asyncio."""
    return filename.startswith((_RUNTIME, _EVENT_LOOP))


def shorten(text: str, limit: int) -> str:
    """Cut the middle out of a text longer than `limit` characters."""
    if len(text) <= limit:
        return text
    mark = _MARK.format(count=len(text) - limit)
    half = (limit - len(mark)) // 2
    return f"{text[:half]}{mark}{text[-half:]}"


def to_unicode(text: str) -> str:
    """Return the text with lone surrogates replaced: JSON and UTF-8 cannot carry them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _trim(described: traceback.TracebackException, *, seen: set[int]) -> None:
    if id(described) in seen:
        return
    seen.add(id(described))
    frames = [f for f in described.stack if not f.filename.startswith(_RUNTIME)]
    while frames and frames[0].filename.startswith(_EVENT_LOOP):
        frames.pop(0)
    described.stack[:] = frames
    for part in (described.__cause__, described.__context__, *(described.exceptions or ())):
        if part is not None:
            _trim(part, seen=seen)
