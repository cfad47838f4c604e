"""What lies between Dramatiq's consumer threads and its worker threads: first in, first out.

In place of Dramatiq's priority queue: a worker claims in the order of urgency and no more
than it has threads for, so there is nothing left to sort. Waking a sleeping thread costs
more than a short function does, so a thread that is *quick* is left alone: it takes one
message after the other and nobody else is woken. Before it waits for anything it steps
aside, and another goes on; so nothing is parked behind a long attempt.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import Empty
from typing import Any, cast

import dramatiq


class _Seat:
    """Where one worker thread waits."""

    __slots__ = ("bell", "is_quick")

    def __init__(self) -> None:
        self.bell = threading.Lock()
        self.bell.acquire()
        self.is_quick = False


class _Seats(threading.local):
    def __init__(self) -> None:
        self.mine = _Seat()


class WorkQueue:
    """The part of `queue.Queue` that a Dramatiq worker uses, but for `join`.

    Attributes:
        has_chores: Whether there is something to be done by a thread that finds no message.
        do_chores: Does it; called by a thread before it goes to sleep.
    """

    def __init__(self) -> None:
        self.has_chores: Callable[[], bool] = lambda: False
        self.do_chores: Callable[[], None] = lambda: None
        self._items: deque[Any] = deque()
        self._lock = threading.Lock()
        self._seats = _Seats()
        self._waiting: list[_Seat] = []  # who slept last is warmest, and woken first
        self._quick = 0

    def put(self, item: object) -> None:
        """Hand over an item; wakes a thread unless a quick one will come for it."""
        with self._lock:
            self._items.append(item)
            called = self._call()
        if called is not None:
            called.bell.release()

    def get(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - Dramatiq's
        """Return the first item, to a thread that is quick until it steps aside.

        Raises:
            Empty: There was none in time, or something else was to be done.
        """
        seat = self._seats.mine
        with self._lock:
            if self._items:
                return self._take(seat)
            self._slow_down(seat)
        self.do_chores()
        with self._lock:
            if self._items:
                return self._take(seat)
            self._waiting.append(seat)
        is_called = seat.bell.acquire(timeout=-1 if timeout is None else timeout)
        with self._lock:
            if not is_called:
                if seat in self._waiting:
                    self._waiting.remove(seat)
                    raise Empty
                seat.bell.acquire()  # called in this very moment
            if self._items:
                return self._take(seat)
            self._slow_down(seat)
        raise Empty

    def get_nowait(self) -> Any:  # noqa: ANN401 - Dramatiq's
        """Return the first item, or raise Empty."""
        with self._lock:
            if not self._items:
                raise Empty
            return self._items.popleft()

    def step_aside(self) -> None:
        """Say that the calling thread is about to wait: another goes on. Costs little twice."""
        seat = self._seats.mine
        if not seat.is_quick:
            return
        with self._lock:
            self._slow_down(seat)
            called = self._call()
        if called is not None:
            called.bell.release()

    def look_after(self) -> None:
        """Have somebody come for what lies here, whoever has forgotten to step aside."""
        with self._lock:
            called = self._call(is_urgent=bool(self._items))
        if called is not None:
            called.bell.release()

    def is_empty(self) -> bool:
        """Whether there is no item."""
        return not self._items

    def task_done(self) -> None:
        """Say that an item is dealt with (queue.Queue): nobody waits for that here."""

    def _take(self, seat: _Seat) -> Any:  # noqa: ANN401 - Dramatiq's
        if not seat.is_quick:
            seat.is_quick = True
            self._quick += 1
        return self._items.popleft()

    def _slow_down(self, seat: _Seat) -> None:
        if seat.is_quick:
            seat.is_quick = False
            self._quick -= 1

    def _call(self, *, is_urgent: bool = False) -> _Seat | None:
        """Choose who is to be woken; None where nobody need or can be."""
        if not self._waiting or (self._quick and not is_urgent):
            return None
        if not self._items and not self.has_chores():
            return None
        seat = self._waiting.pop()
        seat.is_quick = True  # for those who hand over meanwhile
        self._quick += 1
        return seat


class AttemptWorker(dramatiq.Worker):
    """Dramatiq's worker, with this queue between its threads."""

    def __init__(
        self,
        broker: dramatiq.Broker,
        *,
        threads: int,
        timeout_ms: int = 1_000,
        work_queue: WorkQueue | None = None,
    ) -> None:
        super().__init__(broker, worker_threads=threads, worker_timeout=timeout_ms)
        self.work_queue = cast("Any", work_queue or WorkQueue())
