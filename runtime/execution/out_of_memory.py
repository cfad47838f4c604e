"""Recognises exceptions that mean the memory limit of a runner was reached, and their message.

Python raises MemoryError. Libraries fail in other ways: a shared object cannot be mapped, or
OpenBLAS (numpy) raises SIGINT when its threads get no stack. Those count only near the limit.
"""

from __future__ import annotations

import errno

from runtime.errors import LoadError
from runtime.processes.child_limits import is_memory_short, memory_limit
from runtime.sdk.options import written_size

_NO_MEMORY = f"[Errno {errno.ENOMEM}]"
_SUSPECTS = (ImportError, KeyboardInterrupt, OSError)
_UNMAPPED = ("failed to map", "cannot allocate", "cannot create shared object")


def shortage_of(error: BaseException) -> str | None:
    """Return the message of an exception caused by lack of memory; None for any other."""
    kind = type(error)
    if issubclass(kind, MemoryError):
        return str(error) or shortage_text("")
    if kind is LoadError:
        assert isinstance(error, LoadError)  # noqa: S101 - for the type checker
        name, text = error.kind, error.message
        where = f"while loading {error.file}" + (f", line {error.line}" if error.line else "")
    elif kind in _SUSPECTS:
        name, text, where = kind.__name__, str(error), ""
    else:
        return None
    is_surely = name == MemoryError.__name__ or text.startswith(_NO_MEMORY)
    is_likely = name == KeyboardInterrupt.__name__ or (
        name in {"ImportError", "OSError"} and any(word in text.lower() for word in _UNMAPPED)
    )
    if is_surely or (is_likely and is_memory_short()):
        return shortage_text(where or text)
    return None


def shortage_text(said: str) -> str:
    """Return a message that names the limit, with `said` in parentheses."""
    limit = memory_limit()
    most = "the machine's memory" if limit is None else f'memory="{written_size(limit)}"'
    return f"{most} is used up" + (f" ({said})" if said else "")
