"""Stop a call that runs in a thread of ours, and never anything after it.

Whoever takes the guard's one token decides: the worker's loop takes it to interrupt, the
calling thread takes it when the call is over. So an exception is sent at most once,
and `disarm` does not return before one that was sent has arrived or was called back.
"""

from __future__ import annotations

import ctypes
import threading
import time
from _thread import allocate_lock
from collections.abc import Callable
from typing import Literal

Cause = Literal["timeout", "cancelled"]
_ROUNDS_TO_RECEIVE = 1_000
_send_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc


class ThreadInterrupt(BaseException):
    """Raised inside a call that has run out of time or was cancelled."""


class InterruptGuard:
    """One call's right to be interrupted; made and disarmed by the thread that calls.

    Args:
        timeout_s: When it is over is `deadline`; whoever watches the call interrupts it then.
        thread_id: `threading.get_ident()` of the calling thread, where that is known already.
    """

    __slots__ = ("_sent", "_thread_id", "_token", "cause", "deadline")

    def __init__(self, timeout_s: float, thread_id: ctypes.c_ulong | None = None) -> None:
        self.deadline = time.monotonic() + timeout_s
        self.cause: Cause | None = None
        self._thread_id = thread_id or ctypes.c_ulong(threading.get_ident())
        self._token: list[None] = [None]
        self._sent = allocate_lock()
        self._sent.acquire()

    def interrupt(self, cause: Cause) -> bool:
        """Raise Interruption in the calling thread; False when the call is over."""
        try:
            self._token.pop()  # atomic: one thread gets it
        except IndexError:
            return False
        self.cause = cause
        _send_exception(self._thread_id, ctypes.py_object(ThreadInterrupt))
        self._sent.release()
        return True

    def disarm(self) -> None:
        """End the right; from here on no Interruption comes, but one may come in here."""
        try:
            self._token.pop()
        except IndexError:
            self._sent.acquire()
            for _ in range(_ROUNDS_TO_RECEIVE):
                pass  # a pending exception is raised at a loop's end
            _send_exception(self._thread_id, None)

    @property
    def is_of_this_thread(self) -> bool:
        """Whether this is the thread that calls."""
        return self._thread_id.value == threading.get_ident()

    def hold_off(self) -> None:
        """Let no Interruption come until `let_in`; called by the thread that calls.

        For what must not be cut in two. One that is on its way is raised here.
        """
        try:
            self._token.pop()
        except IndexError:
            # It has been sent, or is just being sent; a loop lets it be raised. If it was raised
            # before, and the function has swallowed it, none will come any more.
            while self._sent.locked():
                pass
            for _ in range(_ROUNDS_TO_RECEIVE):
                pass

    def let_in(self, asked: Callable[[], Cause | None]) -> None:
        """End `hold_off`; raise the Interruption that was asked for meanwhile.

        Args:
            asked: Returns why the call is to be interrupted, None if it is not.
        """
        if self.cause is not None:
            return
        self._token.append(None)  # before it is asked: from here on `interrupt` does it
        cause = asked()
        if cause is None:
            return
        try:
            self._token.pop()
        except IndexError:
            return
        # Not by `interrupt`, which an exception of its own thread would cut in two.
        self.cause = cause
        self._sent.release()
        raise ThreadInterrupt
