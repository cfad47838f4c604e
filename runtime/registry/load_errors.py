"""Turn an exception raised while a file loads into a LoadError with the author's file and line.

Used in the processes that load files. The exception is the author's, so reading its text or its
fields may raise anything.
"""

from __future__ import annotations

import traceback

from runtime.errors import LoadError
from runtime.registry.bundle import Bundle
from runtime.sdk.exception_names import name_of, plain

_MESSAGE_MOST = 2_000
_SYNTAX_ERRORS = (SyntaxError, IndentationError, TabError)


def load_error_of(error: BaseException, bundle: Bundle, *, line: int | None = None) -> LoadError:
    """Return the error to show to the author.

    Its place is the line that a SyntaxError names, else the deepest frame in one of the bundle's
    files, else the function file at `line`.
    """
    if type(error) is LoadError:
        return error
    file, found_line = _place_of(error, bundle)
    if issubclass(type(error), SystemExit):
        kind = "Exited"
        text = f"the file ended its process while loading (exit code {_code_of(error)})"
    else:
        kind, text = name_of(type(error)), _text_of(error)
    return LoadError(
        kind, text[:_MESSAGE_MOST], file=file or bundle.file, line=found_line if file else line
    )


def _place_of(error: BaseException, bundle: Bundle) -> tuple[str | None, int | None]:
    # Only Python's own classes: the fields of an author's subclass may hold anything.
    if type(error) in _SYNTAX_ERRORS and isinstance(error, SyntaxError) and error.filename:
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
        return plain(text).encode("utf-8", "replace").decode() or name_of(type(error))
    except BaseException:  # noqa: BLE001 - an author's __str__ may raise anything
        return "(the exception's text cannot be read)"


def _code_of(error: BaseException) -> str:
    try:
        code = error.code  # type: ignore[attr-defined]
        return "0" if code is None else plain(f"{code}")
    except BaseException:  # noqa: BLE001 - the code may be any object of the author's
        return "unknown"
