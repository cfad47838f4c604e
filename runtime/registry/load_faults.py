"""From an exception while a file loads to a LoadError with the user's file and line."""

from __future__ import annotations

import traceback

from runtime.errors import LoadError
from runtime.registry.bundle import Bundle

_MESSAGE_MOST = 2_000


def load_error_of(error: BaseException, bundle: Bundle, *, line: int | None = None) -> LoadError:
    """Return what to tell the author.

    The place is the deepest frame in one of the bundle's files; a SyntaxError's own line;
    else the function file at `line`.
    """
    if isinstance(error, LoadError):
        return error
    file, found_line = _place_of(error, bundle)
    if isinstance(error, SystemExit):
        code = error.code if error.code is not None else 0
        kind, text = "Exited", f"the file ended its process while it loaded (exit code {code})"
    else:
        kind, text = type(error).__name__, _text_of(error)
    return LoadError(
        kind, text[:_MESSAGE_MOST], file=file or bundle.file, line=found_line if file else line
    )


def _place_of(error: BaseException, bundle: Bundle) -> tuple[str | None, int | None]:
    if isinstance(error, SyntaxError) and error.filename:
        file = bundle.file_of(error.filename)
        if file is not None:
            return file, error.lineno
    place: tuple[str | None, int | None] = (None, None)
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = bundle.file_of(frame.f_code.co_filename)
        if file is not None:
            place = (file, line)
    return place


def _text_of(error: BaseException) -> str:
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
    except Exception:  # noqa: BLE001 - an author's __str__ may raise anything
        text = "(its text cannot be read)"
    return text.encode("utf-8", "replace").decode() or type(error).__name__
