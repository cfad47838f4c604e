"""The threads of the thread lane, and what they share with the loop thread: two queues.

Attempts wait in one, from which all threads take; those that have ended gather in the other. All
of it is under one lock, which nobody holds while an Interruption may reach its thread. Waking a
thread costs more than a short function lasts, so as few are woken as the waiting work calls for.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

import structlog

from runtime.execution.thread_interrupt import InterruptGuard
from runtime.execution.thread_run import CANCELLED, ThreadRun
from runtime.telemetry.background import lasting_thread

_log = structlog.get_logger(__name__)
ALONE_US = 8_000  # so much work is left to one thread; for more, more are woken
_MOST_GATHERED = 32
_LONGEST_GATHERING_S = 0.001
_STUCK_S = 0.004  # who runs one attempt for longer does not count as one who takes more
_LIMIT_GRAIN_S = 0.2  # a time limit is found to have passed at most so late
Perform = Callable[[ThreadRun, ctypes.c_ulong], None]


class _Thread:
    """One thread; all but `wakeup` and `is_started` is changed under the lock."""

    __slots__ = ("began_at", "is_kept", "is_started", "run", "wakeup")

    def __init__(self) -> None:
        self.wakeup = threading.Lock()  # released to wake it
        self.wakeup.acquire()
        self.is_started = False
        self.run: ThreadRun | None = None
        self.began_at = 0.0
        self.is_kept = False  # by an attempt that is not quick


class ThreadPool:
    """At most `size` threads, made on demand; the methods are for the loop thread.

    Args:
        size: Most threads.
        perform: Runs an attempt in a thread and notes on it how it ended.
        has_ended: Called by threads when the loop thread is to take what has ended; not again
            before it has.
        idle_s: A thread that has had nothing to do for so long ends.
    """

    def __init__(
        self, size: int, *, perform: Perform, has_ended: Callable[[], None], idle_s: float
    ) -> None:
        self._size = size
        self._perform = perform
        self._has_ended = has_ended
        self._idle_s = idle_s
        self._is_refused = False
        self._lock = threading.Lock()
        self._waiting: deque[ThreadRun] = deque()
        self._waiting_us = 0  # how much work that is
        self._ended: list[ThreadRun] = []
        self._first_ended_at = 0.0
        self._is_logged = False  # the loop thread is going to take what has ended
        self._threads: set[_Thread] = set()
        self._idle: list[_Thread] = []  # the last to fall asleep is warmest, and woken first
        self._awake = 0
        self._kept = 0
        self._is_stopped = False

    def put(self, run: ThreadRun) -> None:
        """Have an attempt run."""
        with self._lock:
            self._waiting.append(run)
            self._waiting_us += run.work_us
            called = self._call()
        self._wake(called)

    def withdraw(self, run: ThreadRun) -> bool:
        """Take out an attempt that has not begun; False when it has."""
        with self._lock:
            try:
                self._waiting.remove(run)
            except ValueError:
                return False
            self._waiting_us -= run.work_us
            return True

    def cancel(self, run: ThreadRun) -> bool:
        """Have an attempt that was put here end as cancelled; False when it is over."""
        with self._lock:
            if not run.is_over:
                run.is_cancelled = True
            return not run.is_over

    def take_ended(self) -> list[ThreadRun]:
        """Return what has ended since the last time, in order."""
        with self._lock:
            ended, self._ended = self._ended, []
            self._is_logged = False
            return ended

    def look(self, now: float) -> list[InterruptGuard]:
        """Wake further threads where some run one attempt for too long; return overdue calls."""
        with self._lock:
            running = [thread for thread in self._threads if thread.run is not None]
            for thread in running:
                if not thread.is_kept and now - thread.began_at >= _STUCK_S:
                    self._keep(thread)
            called = self._call()
            guards = [thread.run.guard for thread in running if thread.run is not None]
        self._wake(called)
        return [one for one in guards if one and one.cause is None and one.deadline <= now]

    def next_look_s(self, now: float) -> float:
        """Return in how many seconds `look` may find something."""
        with self._lock:
            has_takers = self._kept < self._awake or self._idle or len(self._threads) < self._size
            if self._waiting and has_takers:
                return _STUCK_S
            running = [thread.run for thread in self._threads if thread.run is not None]
        return min((_limit_s(run, now) for run in running), default=_LIMIT_GRAIN_S)

    def stop(self) -> None:
        """End the threads, each after what it runs; what waits is not begun. Twice is safe."""
        with self._lock:
            self._is_stopped = True
            idle, self._idle = self._idle, []
        for thread in idle:
            thread.wakeup.release()

    def _call(self) -> list[_Thread]:
        """Choose who is to be woken, so that enough are there who take what waits."""
        called: list[_Thread] = []
        wanted = min(len(self._waiting), -(-self._waiting_us // ALONE_US))
        while self._awake - self._kept < wanted and not self._is_stopped:
            if self._idle:
                thread = self._idle.pop()
            elif len(self._threads) < self._size:
                thread = _Thread()
                self._threads.add(thread)
            else:
                break
            self._awake += 1
            called.append(thread)
        return called

    def _wake(self, called: Iterable[_Thread]) -> None:
        for thread in called:
            if thread.is_started:
                thread.wakeup.release()
            else:
                self._start(thread)

    def _start(self, thread: _Thread) -> None:
        try:
            lasting_thread(lambda: self._serve(thread), name="lane").start()
        except (RuntimeError, MemoryError) as error:  # the next look tries again
            with self._lock:
                self._threads.discard(thread)
                self._awake -= 1
            if not self._is_refused:
                self._is_refused = True
                _log.warning("lane_thread_refused", error=str(error), threads=len(self._threads))
        else:
            thread.is_started = True
            self._is_refused = False

    def _serve(self, thread: _Thread) -> None:
        """Run attempts until there have been none for a while (in the thread itself)."""
        thread_id = ctypes.c_ulong(threading.get_ident())
        while True:
            run = self._next(thread, time.monotonic())
            if run is None:
                if not self._sleep(thread):
                    return
                continue
            try:
                self._perform(run, thread_id)
            except Exception:  # noqa: BLE001 - outermost; the run's ending says so
                _log.exception("lane_run_failed", id=run.assignment.id)

    def _next(self, thread: _Thread, now: float) -> ThreadRun | None:
        """End what a thread has run, and begin what is next; None when it is to sleep."""
        with self._lock:
            was_kept = thread.is_kept
            if was_kept:
                thread.is_kept = False
                self._kept -= 1
            if thread.run is not None:
                self._end(thread.run, now)
            run = None
            if self._waiting and not self._is_stopped:
                run = self._waiting.popleft()
                self._waiting_us -= run.work_us
                thread.began_at = now
                if not run.is_quick:
                    self._keep(thread)
            else:
                self._awake -= 1
                self._idle.append(thread)
            thread.run = run
            is_due = self._ended and (
                run is None
                or was_kept
                or not run.is_quick
                or len(self._ended) >= _MOST_GATHERED
                or now - self._first_ended_at >= _LONGEST_GATHERING_S
            )
            is_wakeup_sent = bool(is_due) and not self._is_logged
            if is_wakeup_sent:
                self._is_logged = True
        if is_wakeup_sent:
            self._has_ended()
        return run

    def _keep(self, thread: _Thread) -> None:
        thread.is_kept = True
        self._kept += 1

    def _end(self, run: ThreadRun, now: float) -> None:
        run.is_over = True
        if run.is_cancelled:  # in time, whatever came of it
            run.ending, run.result = CANCELLED, b""
        if not self._ended:
            self._first_ended_at = now
        self._ended.append(run)

    def _sleep(self, thread: _Thread) -> bool:
        """Wait to be woken; False when the thread is to end."""
        is_woken = self._is_stopped or thread.wakeup.acquire(timeout=self._idle_s)
        if not is_woken:
            with self._lock:
                if thread in self._idle:
                    self._idle.remove(thread)
                    self._threads.discard(thread)
                    return False
            thread.wakeup.acquire()  # woken in this very moment
        return not self._is_stopped


def _limit_s(run: ThreadRun, now: float) -> float:
    """Return in how many seconds the time of a call may be up."""
    guard = run.guard
    if guard is None:  # it is loaded, or over
        return min(_LIMIT_GRAIN_S, run.manifest.options.timeout_s)
    if guard.cause is not None:
        return _LIMIT_GRAIN_S
    return min(_LIMIT_GRAIN_S, max(0.0, guard.deadline - now))
