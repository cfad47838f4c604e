"""Stop a call that runs in a thread of ours, and never anything after it.

Whoever takes the guard's one token decides: the watchdog takes it to interrupt, the
calling thread takes it when the call is over. So an exception is sent at most once,
and `disarm` does not return before one that was sent has arrived or was called back.
"""

from __future__ import annotations

import contextlib
import ctypes
import queue
import threading
import time
from _thread import allocate_lock
from collections.abc import Callable
from typing import Literal

from runtime.telemetry.lasting import lasting_thread

Cause = Literal["timeout", "cancelled"]
_GRAIN_S = 0.2
_ROUNDS_TO_RECEIVE = 1_000
_send_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc


class Interruption(BaseException):
    """Raised inside a call that has run out of time or was cancelled."""


class Guard:
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
        _send_exception(self._thread_id, ctypes.py_object(Interruption))
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
        raise Interruption


class Watchdog:
    """A thread that interrupts calls past their deadline; it runs from the first call on."""

    def __init__(self) -> None:
        self._guards: set[Guard] = set()
        self._lock = threading.Lock()
        # Rung by threads that an Interruption may reach anywhere: a queue in C takes it in one
        # step, where an Event would be left with its lock held for ever.
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread unless it runs; outside of any call, to which it would belong."""
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = lasting_thread(self._run, name="watchdog")
                    self._thread.start()

    def watch(self, guard: Guard, timeout_s: float) -> None:
        """Interrupt the guarded call at its deadline, at most `_GRAIN_S` late."""
        self.start()
        with self._lock:
            self._guards.add(guard)
        if timeout_s < _GRAIN_S:
            self._bell.put(None)

    def forget(self, guard: Guard) -> None:
        """Stop watching a call that is over."""
        with self._lock:
            self._guards.discard(guard)

    def stop(self) -> None:
        """End the thread; safe to call twice."""
        self._stopped = True
        self._bell.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped:
            now = time.monotonic()
            with self._lock:
                guards = list(self._guards)
            for guard in guards:
                if guard.deadline <= now:
                    guard.interrupt("timeout")
                    self.forget(guard)
            nearest = min((g.deadline for g in guards if g.deadline > now), default=now + _GRAIN_S)
            with contextlib.suppress(queue.Empty):
                self._bell.get(timeout=min(_GRAIN_S, nearest - now))
                for _ in range(self._bell.qsize()):
                    self._bell.get_nowait()  # one look is enough for all that rang
