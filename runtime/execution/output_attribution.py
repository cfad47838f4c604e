"""Finds the attempt that output belongs to: by context, and by who started the thread.

Tasks, callbacks and `asyncio.to_thread` carry the context of their call. A thread starts with an
empty context, so its starter is recorded on the thread object. Threads of pools serve many calls
and belong to no attempt. Used by runner processes and by the thread backend.
"""

from __future__ import annotations

import sys
import threading
from contextvars import ContextVar
from functools import wraps
from typing import Any

from runtime.execution.out_of_memory import shortage_text
from runtime.processes.child_limits import has_no_stack


class ThreadOwner:
    """An owner that is notified of the threads it starts."""

    __slots__ = ()

    def note_thread(self, thread: threading.Thread) -> None:
        """The attempt starts this thread."""
        raise NotImplementedError


owner: ContextVar[object | None] = ContextVar("owner", default=None)
_ATTRIBUTE = "_penstock_owner"
_POOLS = (  # module, function, and its variable that is set while it works
    ("concurrent.futures.thread", ("_worker",), "work_item"),
    ("multiprocessing.pool", ("worker",), "task"),
    *(
        ("multiprocessing.pool", ("Pool", f"_handle_{what}"), "cache")  # the unfinished calls
        for what in ("workers", "tasks", "results")
    ),
    ("logging.handlers", ("QueueListener", "_monitor"), ""),
)
_start = threading.Thread.start


def owner_here() -> object | None:
    """Return the owner of what this thread writes now; None if it is unknown."""
    found = owner.get()
    if found is None and threading.current_thread() is not threading.main_thread():
        found = vars(threading.current_thread()).get(_ATTRIBUTE)
    return found


def pool_codes() -> dict[Any, str]:
    """Return the functions in which threads of the standard library's pools wait for work.

    Maps each to the variable that is set while it works, "" if it stays set. Only modules that are
    already imported are included.
    """
    found = {}
    for module, path, name in _POOLS:
        target: Any = sys.modules.get(module)
        for part in path:
            target = getattr(target, part, None)
        code = getattr(target, "__code__", None)
        if code is not None:
            found[code] = name
    return found


def note_owners() -> None:
    """Record the owner of each thread that is started from now on; twice is safe."""
    threading.Thread.start = _start_owned  # type: ignore[method-assign]


def forget_owners() -> None:
    """Stop recording owners of threads; twice is safe."""
    if threading.Thread.start is _start_owned:
        threading.Thread.start = _start  # type: ignore[method-assign]


@wraps(_start)
def _start_owned(self: threading.Thread) -> None:
    if not _serves_a_pool(self):
        vars(self)[_ATTRIBUTE] = found = owner_here()
        if isinstance(found, ThreadOwner):
            found.note_thread(self)
    try:
        _start(self)
    except RuntimeError as error:
        if has_no_stack():
            raise MemoryError(shortage_text(str(error))) from error
        raise


def _serves_a_pool(thread: threading.Thread) -> bool:
    target = vars(thread).get("_target")
    code = getattr(getattr(target, "__func__", target), "__code__", None)
    return code is not None and code in pool_codes()
