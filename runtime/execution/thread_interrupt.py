"""Interrupts a function call in another thread by an exception, and nothing after that call.

    armed ──`interrupt` takes the token──► sent ──► ThreadInterrupt is raised in the call
      └─────`disarm` takes the token─────► disarmed

A call has one token. The interrupting thread takes it to send the exception, the calling thread
takes it when the call has returned: so at most one exception is sent, and none after `disarm`.
"""

from __future__ import annotations

import ctypes
import threading
import time
from _thread import allocate_lock
from collections.abc import Callable
from typing import Literal

Cause = Literal["timeout", "cancelled"]
_ROUNDS_TO_RECEIVE = 1_000  # CPython raises a pending exception at the end of a loop's round
send_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc


class ThreadInterrupt(BaseException):
    """Raised in a call that has exceeded its timeout or was cancelled."""


class InterruptGuard:
    """The right to interrupt one call; created and disarmed by the thread that calls.

    `cause` is written by the thread that holds the token. `_sent` is locked until the exception
    has been sent.

    Args:
        timeout_s: `deadline` is this long from now; the watching thread interrupts the call then.
        thread_id: `threading.get_ident()` of the calling thread, if it is known already.
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
        """Raise ThreadInterrupt in the calling thread; False if the call has returned."""
        try:
            self._token.pop()  # atomic: only one thread gets it
        except IndexError:
            return False
        self.cause = cause
        send_exception(self._thread_id, ctypes.py_object(ThreadInterrupt))
        self._sent.release()
        return True

    def disarm(self) -> None:
        """End the right: no ThreadInterrupt comes after this, but one may be raised in here."""
        try:
            self._token.pop()
        except IndexError:
            # The token was taken to send an exception. Wait until it is sent and let it be raised
            # here; then clear what may still be pending.
            self._sent.acquire()
            for _ in range(_ROUNDS_TO_RECEIVE):
                pass
            send_exception(self._thread_id, None)

    @property
    def is_of_this_thread(self) -> bool:
        """Whether the current thread is the one that calls."""
        return self._thread_id.value == threading.get_ident()

    def hold_off(self) -> None:
        """Let no ThreadInterrupt come until `let_in`; called by the thread that calls.

        For operations that must not be cut in two. One that is already sent is raised here.
        """
        try:
            self._token.pop()
        except IndexError:
            # The exception was sent or is being sent: wait, and let it be raised here. If the
            # function had swallowed it before, none will come any more.
            while self._sent.locked():
                pass
            for _ in range(_ROUNDS_TO_RECEIVE):
                pass

    def let_in(self, asked: Callable[[], Cause | None]) -> None:
        """End `hold_off`; raise the ThreadInterrupt that was requested meanwhile.

        Args:
            asked: Returns why the call is to be interrupted, None if it is not.
        """
        if self.cause is not None:
            return
        # The token goes back before `asked` is read: a request that comes later finds the token in
        # `interrupt`, an earlier one is seen here. None is missed.
        self._token.append(None)
        cause = asked()
        if cause is None:
            return
        try:
            self._token.pop()
        except IndexError:
            return
        # Not by `interrupt`: the exception could be raised in the middle of it.
        self.cause = cause
        self._sent.release()
        raise ThreadInterrupt
