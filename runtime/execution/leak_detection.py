"""Finds threads, child processes and asyncio tasks that an attempt left running in its runner.

Called after every attempt, so the usual case takes a fraction of a microsecond. Threads started
while the file was loaded, and idle threads of a pool, are not leaks. Threads and processes get
50 ms to end. Child processes are found on Linux only.
"""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from runtime.execution.output_attribution import pool_codes
from runtime.registry import event_loop

_FORK_S = 60e-6  # no process can be forked in less: a shorter attempt has no children
PATIENCE_S = 0.05  # how long a thread or process may take to end
PAUSE_S = 0.001
# The functions by which the loop of a pool waits for work.
_WAITING = {"dequeue", "get", "select", "wait", "_wait_for_updates"}
A_TASK = "an asyncio task that does not end when it is cancelled"
A_THREAD = "a thread"
_OWN_TASKS = Path("/proc/self/task")
# By ctypes: one system call, and no exception if there is no child.
_waitid: Any = ctypes.PyDLL(None).waitid if sys.platform == "linux" else None
_WITHOUT_REAPING = os.WEXITED | os.WNOHANG | os.WNOWAIT
_ANY_CHILD = (ctypes.c_int(os.P_ALL), ctypes.c_int(0), None, ctypes.c_int(_WITHOUT_REAPING))
_Threads = dict[int, "weakref.ref[threading.Thread] | None"]


class LeakDetector:
    """The leak detector of one runner process.

    Args:
        own: The ids of the runner's own threads: the main thread and "output".
        is_whole: Whether "output" is still running.
    """

    def __init__(self, own: frozenset[int], is_whole: Callable[[], bool]) -> None:
        self._own = own
        self._is_whole = is_whole
        self._steady: _Threads = {}

    def note_loaded(self) -> None:
        """Note which threads the file has started while it was loaded: they are not leaks."""
        if sys._current_frames().keys() != self._own:  # noqa: SLF001 - documented under this name
            named = _threads_by_id()
            self._steady = {
                ident: weakref.ref(named[ident]) if ident in named else None
                for ident in sys._current_frames()  # noqa: SLF001
            }

    def find(self, ran_s: float) -> str:
        """Return what an attempt that took `ran_s` left running, as text; "" if nothing."""
        has_threads = _thread._count() != 1 or not self._is_whole()  # noqa: SLF001
        if not has_threads and (ran_s < _FORK_S or not _has_children()):
            return A_TASK if event_loop.has_set_aside() else ""
        if event_loop.has_set_aside():
            return A_TASK
        deadline = time.monotonic() + PATIENCE_S
        while (left := self._look()) and time.monotonic() < deadline:
            time.sleep(PAUSE_S)
        return left

    def look(self, ran_s: float, helpers: frozenset[int]) -> str:
        """Return what is left now, without waiting for it to end.

        Args:
            ran_s: How long the last of several attempts took, in which it may have forked.
            helpers: The ids of the threads that the runner has for attempts.
        """
        has_threads = _thread._count() != 1 + len(helpers) or not self._is_whole()  # noqa: SLF001
        if not has_threads and (ran_s < _FORK_S or not _has_children()):
            return ""
        return self._look(helpers)

    def _look(self, helpers: frozenset[int] = frozenset()) -> str:
        others = _other_threads(self._own | helpers)
        if any(not self._is_harmless(ident, frame) for ident, frame in others):
            return A_THREAD
        return "a child process" if _has_children() and _living_children() else ""

    def _is_harmless(self, ident: int, frame: FrameType) -> bool:
        """Whether a thread is idle in a pool, or was started while the file was loaded."""
        is_idle = _is_idle_in_pool(frame)
        if is_idle is not None:
            return is_idle
        if ident not in self._steady:
            return False
        steady, found = self._steady[ident], _threads_by_id().get(ident)
        return found is (None if steady is None else steady())


def _other_threads(own: frozenset[int]) -> Iterator[tuple[int, FrameType]]:
    frames = sys._current_frames()  # noqa: SLF001
    return ((ident, frame) for ident, frame in frames.items() if ident not in own)


def _threads_by_id() -> dict[int, threading.Thread]:
    return {thread.ident: thread for thread in threading.enumerate() if thread.ident is not None}


def _is_idle_in_pool(frame: FrameType | None) -> bool | None:
    """Whether a thread of a pool is idle; None if it is not of a pool."""
    codes = pool_codes()
    called: list[CodeType] = []
    while frame is not None:
        working = codes.get(frame.f_code)
        if working is not None:
            is_free = not frame.f_locals.get(working) if working else bool(called)
            is_waiting = all(code.co_name in _WAITING for code in called)
            return is_free and is_waiting and _is_empty(frame)
        called.append(frame.f_code)
        frame = frame.f_back
    return None


def _is_empty(frame: FrameType) -> bool:
    """Whether the queue of a pool's loop is empty; True if it cannot be determined."""
    queue = frame.f_locals.get("work_queue") or getattr(frame.f_locals.get("self"), "queue", None)
    return True if queue is None else bool(queue.empty())


def _has_children() -> bool:
    return _waitid is not None and _waitid(*_ANY_CHILD) == 0


def _living_children() -> bool:
    """Whether there is a running child process that is not known to be harmless."""
    tracker: Any = sys.modules.get("multiprocessing.resource_tracker")
    harmless = getattr(getattr(tracker, "_resource_tracker", None), "_pid", None)
    return any(pid != harmless and _is_alive(pid) for pid in _children())


def _children() -> list[int]:
    found: list[int] = []
    for task in _OWN_TASKS.iterdir():
        with contextlib.suppress(OSError):  # the thread has just ended
            found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] not in {"Z", "X"}
