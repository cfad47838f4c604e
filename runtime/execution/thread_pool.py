"""The threads of the thread backend, and the two queues they share with the loop thread.

    a thread:   started ──► running ◄──► idle ──`idle_s` without an attempt──► ended
    an attempt: waiting ──► running ──► ended ──► taken by the loop thread

All threads take attempts from one queue and put finished ones into another. One lock protects both;
a thread holds it only while no ThreadInterrupt can reach it. Waking a thread costs more than a
short function takes, so no more threads are woken than the waiting work needs.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

import structlog

from runtime.execution.outcome import CANCELLED
from runtime.execution.thread_interrupt import InterruptGuard
from runtime.execution.thread_run import ThreadRun
from runtime.telemetry.background import lasting_thread

_log = structlog.get_logger(__name__)
ALONE_US = 8_000  # this much waiting work is left to one thread; for more, more are woken
_MOST_GATHERED = 32  # finished attempts, until the loop thread is woken
_LONGEST_GATHERING_S = 0.001  # how long finished attempts are gathered
_STUCK_S = 0.004  # a thread that runs one attempt for longer does not count as taking more
_LIMIT_GRAIN_S = 0.2  # a timeout is noticed at most this much too late
Perform = Callable[[ThreadRun, ctypes.c_ulong], None]


class _Thread:
    """One thread; the lock protects all fields but `wakeup` and `is_started`."""

    __slots__ = ("began_at", "is_kept", "is_started", "run", "wakeup")

    def __init__(self) -> None:
        self.wakeup = threading.Lock()  # locked; the loop thread releases it to wake this thread
        self.wakeup.acquire()
        self.is_started = False  # loop thread only
        self.run: ThreadRun | None = None
        self.began_at = 0.0
        self.is_kept = False  # running an attempt that is not quick


class ThreadPool:
    """At most `size` threads, started on demand. Public methods are called by the loop thread.

    Args:
        size: Most threads.
        perform: Runs an attempt in the calling thread and sets its ending.
        has_ended: Called by a thread when the loop thread should call `take_ended`; not again
            before it has.
        idle_s: A thread that has had no attempt for this long ends.
    """

    def __init__(
        self, size: int, *, perform: Perform, has_ended: Callable[[], None], idle_s: float
    ) -> None:
        self._size = size
        self._perform = perform
        self._has_ended = has_ended
        self._idle_s = idle_s
        self._is_refused = False  # the system has refused a thread; loop thread only
        self._lock = threading.Lock()  # protects all fields below
        self._waiting: deque[ThreadRun] = deque()
        self._waiting_us = 0  # the expected run time of all waiting attempts
        self._ended: list[ThreadRun] = []
        self._first_ended_at = 0.0
        self._is_woken = False  # the loop thread was woken and has not called `take_ended` yet
        self._threads: set[_Thread] = set()
        self._idle: list[_Thread] = []  # the last one is woken first: its caches are warmest
        self._awake = 0  # threads that are not idle
        self._kept = 0  # threads that are running an attempt that is not quick
        self._is_stopped = False

    def put(self, run: ThreadRun) -> None:
        """Queue an attempt, and wake threads if the waiting work needs more."""
        with self._lock:
            self._waiting.append(run)
            self._waiting_us += run.work_us
            called = self._call()
        self._wake(called)

    def withdraw(self, run: ThreadRun) -> bool:
        """Remove an attempt that has not started; False if it has."""
        with self._lock:
            try:
                self._waiting.remove(run)
            except ValueError:
                return False
            self._waiting_us -= run.work_us
            return True

    def cancel(self, run: ThreadRun) -> bool:
        """Have an attempt that has started end as cancelled; False if it is over."""
        with self._lock:
            if not run.is_over:
                run.is_cancelled = True
            return not run.is_over

    def take_ended(self) -> list[ThreadRun]:
        """Return the attempts that ended since the last call, in order."""
        with self._lock:
            ended, self._ended = self._ended, []
            self._is_woken = False
            return ended

    def look(self, now: float) -> list[InterruptGuard]:
        """Wake threads if running attempts hold others up; return the guards of overdue calls."""
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
        """Return in how many seconds `look` may find something to do."""
        with self._lock:
            has_takers = self._kept < self._awake or self._idle or len(self._threads) < self._size
            if self._waiting and has_takers:
                return _STUCK_S
            running = [thread.run for thread in self._threads if thread.run is not None]
        return min((_limit_s(run, now) for run in running), default=_LIMIT_GRAIN_S)

    def stop(self) -> None:
        """End the threads after their current attempt; start no waiting one. Twice is safe."""
        with self._lock:
            self._is_stopped = True
            idle, self._idle = self._idle, []
        for thread in idle:
            thread.wakeup.release()

    def _call(self) -> list[_Thread]:
        """Choose the threads to wake or start for the waiting work; the caller holds the lock."""
        called: list[_Thread] = []
        # One thread for each 8 ms of waiting work; those busy with slow attempts do not count.
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
        # Not under the lock: `_start` takes it if the system refuses a thread.
        for thread in called:
            if thread.is_started:
                thread.wakeup.release()
            else:
                self._start(thread)

    def _start(self, thread: _Thread) -> None:
        try:
            lasting_thread(lambda: self._serve(thread), name="lane").start()
        except (RuntimeError, MemoryError) as error:  # the next `look` tries again
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
        """Run attempts until there have been none for `idle_s`; the main function of a thread."""
        thread_id = ctypes.c_ulong(threading.get_ident())
        while True:
            run = self._next(thread, time.monotonic())
            if run is None:
                if not self._sleep(thread):
                    return
                continue
            try:
                self._perform(run, thread_id)
            except Exception:  # noqa: BLE001 - outermost; `run.ending` is already a failure
                _log.exception("lane_run_failed", id=run.assignment.id)

    def _next(self, thread: _Thread, now: float) -> ThreadRun | None:
        """Finish the thread's attempt and return the next one; None if the thread is to sleep."""
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
            # One wake-up of the loop thread for a group; any of these completes the group.
            is_due = self._ended and (
                run is None
                or was_kept
                or not run.is_quick
                or len(self._ended) >= _MOST_GATHERED
                or now - self._first_ended_at >= _LONGEST_GATHERING_S
            )
            is_to_wake = bool(is_due) and not self._is_woken
            if is_to_wake:
                self._is_woken = True
        if is_to_wake:
            # Not under the lock, which the loop thread takes in `take_ended`.
            self._has_ended()
        return run

    def _keep(self, thread: _Thread) -> None:
        thread.is_kept = True
        self._kept += 1

    def _end(self, run: ThreadRun, now: float) -> None:
        # The caller holds the lock that `cancel` takes, so a cancellation either came before this
        # and wins, or is refused.
        run.is_over = True
        if run.is_cancelled:
            run.ending, run.result = CANCELLED, b""
        if not self._ended:
            self._first_ended_at = now
        self._ended.append(run)

    def _sleep(self, thread: _Thread) -> bool:
        """Wait to be woken; False if the thread is to end."""
        is_woken = self._is_stopped or thread.wakeup.acquire(timeout=self._idle_s)
        if not is_woken:
            with self._lock:
                if thread in self._idle:
                    self._idle.remove(thread)
                    self._threads.discard(thread)
                    return False
            thread.wakeup.acquire()  # the loop thread chose it just now, and releases this
        return not self._is_stopped


def _limit_s(run: ThreadRun, now: float) -> float:
    """Return in how many seconds this call may exceed its timeout."""
    guard = run.guard
    if guard is None:  # it is being loaded, or has returned
        return min(_LIMIT_GRAIN_S, run.manifest.options.timeout_s)
    if guard.cause is not None:
        return _LIMIT_GRAIN_S
    return min(_LIMIT_GRAIN_S, max(0.0, guard.deadline - now))
