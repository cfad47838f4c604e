"""The event loop of a worker process: descriptors, timers, and calls from other threads.

The method names are asyncio's. It knows only callbacks (no coroutines, futures or contexts),
because a worker at rest is woken often for very little work, and less code is faster when it is
not in the processor's caches (`docs/decisions/0026-one-loop-drives-a-worker.md`).

One turn: wait until something is ready or due → call readers and writers → call timers → call what
`call_soon` was asked for. So work that `call_soon` defers is done once per turn, for everything
that arrived in the turn.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import select
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from runtime.telemetry.background import CRASHES

Callback = Callable[[], object]
_READ = select.POLLIN | select.POLLHUP | select.POLLERR
_WRITE = select.POLLOUT | select.POLLHUP | select.POLLERR
_LONGEST_WAIT_S = 60.0
_MOST_EVENTS = 512
_WAKE_BYTES = 4_096


class Lag(NamedTuple):
    """Number, total and longest of a loop's turns: anything that was ready waited one at most."""

    turns: int
    sum_s: float
    max_s: float


class Timer:
    """A callback that is due at a time, until it is cancelled."""

    __slots__ = ("at", "callback")

    def __init__(self, at: float, callback: Callback) -> None:
        self.at = at
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        """Drop the callback; safe to call twice, and after the callback has run."""
        self.callback = None


class Loop:
    """Runs callbacks in the thread that calls `run`.

    Other threads may call only `call_soon_threadsafe`. A callback that raises is logged and
    counted; the loop goes on.
    """

    time = staticmethod(time.monotonic)

    def __init__(self) -> None:
        self._poller: Any = _Poller() if not hasattr(select, "epoll") else select.epoll()
        self._readers: dict[int, Callback] = {}
        self._writers: dict[int, Callback] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()
        self._soon: deque[Callback] = deque()
        self._from_threads: deque[Callback] = deque()
        self._is_running = False
        self._turns, self._sum_s, self._max_s = 0, 0.0, 0.0
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        self.add_reader(self._woken, self._run_calls_from_threads)

    def run(self) -> None:
        """Run turns until `stop` is called."""
        self._is_running = True
        while self._is_running:
            self.turn(_LONGEST_WAIT_S)

    def stop(self) -> None:
        """Make `run` return after the current turn."""
        self._is_running = False

    def close(self) -> None:
        """Run the calls that threads have asked for, and close the loop's own descriptors."""
        self._run_calls_from_threads()
        self._poller.close()
        os.close(self._woken)
        os.close(self._wake)

    def add_reader(self, fd: int, callback: Callback) -> None:
        """Call `callback` whenever the descriptor is readable or its other end has closed."""
        is_known = fd in self._readers or fd in self._writers
        self._readers[fd] = callback
        self._watch(fd, is_known=is_known)

    def remove_reader(self, fd: int) -> None:
        """Undo `add_reader`; safe if there is no reader."""
        if self._readers.pop(fd, None) is not None:
            self._watch(fd, is_known=True)

    def add_writer(self, fd: int, callback: Callback) -> None:
        """Call `callback` whenever the descriptor is writable."""
        is_known = fd in self._readers or fd in self._writers
        self._writers[fd] = callback
        self._watch(fd, is_known=is_known)

    def remove_writer(self, fd: int) -> None:
        """Undo `add_writer`; safe if there is no writer."""
        if self._writers.pop(fd, None) is not None:
            self._watch(fd, is_known=True)

    def call_soon(self, callback: Callback) -> None:
        """Call `callback` at the end of the current turn."""
        self._soon.append(callback)

    def call_later(self, delay_s: float, callback: Callback) -> Timer:
        """Call `callback` after `delay_s` seconds."""
        return self.call_at(time.monotonic() + delay_s, callback)

    def call_at(self, at: float, callback: Callback) -> Timer:
        """Call `callback` at `at`, in seconds of the loop's `time`."""
        timer = Timer(at, callback)
        heapq.heappush(self._timers, (at, next(self._numbers), timer))
        return timer

    def call_soon_threadsafe(self, callback: Callback) -> None:
        """Call `callback` in the loop's thread; safe from any thread and from signal handlers."""
        # Append first: the loop reads the pipe before it takes the calls, so none is missed.
        self._from_threads.append(callback)
        with contextlib.suppress(OSError):  # pipe full: the loop is awake anyway; or loop closed
            os.write(self._wake, b"\0")

    def take_lag(self) -> Lag:
        """Return the lag since the last call of this method."""
        lag = Lag(self._turns, self._sum_s, self._max_s)
        self._turns, self._sum_s, self._max_s = 0, 0.0, 0.0
        return lag

    def turn(self, longest_s: float) -> None:
        """Wait at most `longest_s` seconds, then call everything that is ready or due."""
        soon = self._soon
        ready = self._poller.poll(0.0 if soon else self._wait_s(longest_s), _MOST_EVENTS)
        began_at = time.monotonic()
        for fd, events in ready:
            if events & _READ and (callback := self._readers.get(fd)) is not None:
                self._call(callback)
            if events & _WRITE and (callback := self._writers.get(fd)) is not None:
                self._call(callback)
        if self._timers and self._timers[0][0] <= began_at:
            self._call_due(began_at)
        while soon:
            self._call(soon.popleft())
        took_s = time.monotonic() - began_at
        self._turns += 1
        self._sum_s += took_s
        self._max_s = max(self._max_s, took_s)

    def _wait_s(self, longest_s: float) -> float:
        timers = self._timers
        while timers and timers[0][2].callback is None:
            heapq.heappop(timers)
        return min(max(timers[0][0] - time.monotonic(), 0.0), longest_s) if timers else longest_s

    def _call_due(self, now: float) -> None:
        due: list[Timer] = []
        while self._timers and self._timers[0][0] <= now:
            due.append(heapq.heappop(self._timers)[2])
        for timer in due:  # timers that these callbacks add run in a later turn, even if due now
            callback, timer.callback = timer.callback, None
            if callback is not None:
                self._call(callback)

    def _call(self, callback: Callback) -> None:
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - outermost: the loop must go on
            CRASHES.note(f"loop: {getattr(callback, '__qualname__', callback)}", error)

    def _run_calls_from_threads(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, _WAKE_BYTES)
        calls = self._from_threads
        for _ in range(len(calls)):
            self._call(calls.popleft())

    def _watch(self, fd: int, *, is_known: bool) -> None:
        events = (select.POLLIN if fd in self._readers else 0) | (
            select.POLLOUT if fd in self._writers else 0
        )
        if not events:
            with contextlib.suppress(OSError, ValueError, KeyError):  # it was closed before
                self._poller.unregister(fd)
        elif is_known:
            self._poller.modify(fd, events)
        else:
            self._poller.register(fd, events)


class _Poller:
    """`select.poll` with the interface of `select.epoll`, for systems without epoll."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self.register = self._poll.register
        self.modify = self._poll.modify
        self.unregister = self._poll.unregister

    def poll(self, timeout_s: float, most: int) -> list[tuple[int, int]]:
        return self._poll.poll(timeout_s * 1000)[:most]

    def close(self) -> None:
        pass
