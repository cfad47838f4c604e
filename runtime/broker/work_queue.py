"""What lies between a worker's claims and its threads: first in, first out, and how much of it.

In place of Dramatiq's priority queue: a worker claims in the order of urgency, so there
is nothing left to sort. Waking a sleeping thread costs more than a short function does,
so a thread that is *quick* is left alone: it takes one attempt after the other and nobody
else is woken. Before it waits for anything it steps aside, and another goes on.

The room for claims is counted here, too: places are threads; what is taken ahead of them
(`runtime.broker.foresight`) is claimed again when half of it is gone.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from queue import Empty
from typing import NamedTuple

from runtime.broker.attempt import Attempt
from runtime.broker.foresight import Foresight

_NOBODY = -1
_WAKING_S = 0.002
_ALONE_S = 0.008  # so much work is left to one thread; for more, more are woken


class Room(NamedTuple):
    """What a consumer may claim: of any function, and further ones of quick functions."""

    places: int
    ahead: int


class _Seat:
    """Where one worker thread waits."""

    __slots__ = ("bell", "is_awaited", "is_busy", "is_quick", "is_up", "set_apart")

    def __init__(self) -> None:
        self.bell = threading.Lock()
        self.bell.acquire()
        self.is_up = threading.Lock()
        self.is_up.acquire()
        self.is_awaited = False
        self.is_quick = False
        self.is_busy = False
        self.set_apart: deque[Attempt] = deque()


class _Seats(threading.local):
    def __init__(self) -> None:
        self.mine = _Seat()


class WorkQueue:
    """The part of `queue.Queue` that a Dramatiq worker uses but for `join`, and its room.

    Args:
        places: How many attempts may run at once: the worker's threads.
        foresight: Says what is worth taking ahead.

    Attributes:
        has_chores: Whether there is something to be done by a thread that finds no attempt.
        do_chores: Does it; called by a thread before it goes to sleep.
        let_go: Called by a thread that steps aside, for what was set apart for it; returns the
            invocations that only this thread can go on with.
        taken: How many attempts threads have taken so far.
    """

    def __init__(self, places: int, foresight: Foresight) -> None:
        self.has_chores: Callable[[], bool] = lambda: False
        self.do_chores: Callable[[], None] = lambda: None
        self.let_go: Callable[[], Collection[str]] = tuple
        self.taken = 0
        self._places = places
        self._foresight = foresight
        self._items: deque[Attempt] = deque()
        self._lock = threading.Lock()
        self._seats = _Seats()
        self._waiting: list[_Seat] = []  # who slept last is warmest, and woken first
        self._quick = 0
        self._in_hand = 0  # what is reserved, lies ready or runs
        self._claimers = 0
        self._wake_claimers_at = _NOBODY
        self._has_room = threading.Condition(self._lock)

    def reserve(self, *, timeout_s: float, goes_ahead: bool = True) -> Room | None:
        """Take all room there is, waiting up to `timeout_s` for some; `fill` gives it back.

        Without `goes_ahead` only places count: nothing that waits is worth taking ahead.
        """
        with self._lock:
            self._claimers += 1
            try:
                room = self._room(goes_ahead)
                if room is None:
                    self._has_room.wait(timeout_s)
                    room = self._room(goes_ahead)
            finally:
                self._claimers -= 1
                if not self._claimers:
                    self._wake_claimers_at = _NOBODY
            if room is not None:
                self._in_hand += room.places + room.ahead
            return room

    def fill(self, room: Room, attempts: Sequence[Attempt], *, is_calm: bool = False) -> bool:
        """Put what was claimed into the room reserved for it; the rest of it is free again.

        Where it `is_calm` the caller waits until the thread it has woken is under way: of one
        interpreter's threads one runs at a time, and that one is more urgent.

        Returns whether anything lies ready that nobody has been woken for: somebody has to see
        to it that it is not forgotten.
        """
        with self._lock:
            self._in_hand += len(attempts) - room.places - room.ahead
            self._items.extend(attempts)
            self._tell_claimers()
            called = self._call_for_all()
            is_crowded = len(self._items) > len(called)
            if called:
                called[0].is_awaited = is_calm
        for seat in called:
            seat.bell.release()
        if called and is_calm:
            called[0].is_up.acquire(timeout=_WAKING_S)
        return is_crowded

    def awaits_room(self, *, timeout_s: float) -> bool:
        """Whether there is room, or will be within `timeout_s`; takes none."""
        room = self.reserve(timeout_s=timeout_s)
        if room is not None:
            self.fill(room, ())
        return room is not None

    def is_calm(self) -> bool:
        """Whether at most half of the threads have something to do."""
        return self._in_hand * 2 <= self._places

    def get(self, timeout: float | None = None) -> Attempt:
        """Return the first attempt, to a thread that is quick until it steps aside.

        Raises:
            Empty: There was none in time, or something else was to be done.
        """
        seat = self._seats.mine
        with self._lock:
            if seat.is_busy:
                seat.is_busy = False
                self._in_hand -= 1
                self._tell_claimers()
            if self._items or seat.set_apart:
                return self._take(seat)
            self._slow_down(seat)
        with contextlib.suppress(Exception):  # who goes to sleep must not die of it: see lookout
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
            if seat.is_awaited:
                seat.is_awaited = False
                if seat.is_up.locked():
                    seat.is_up.release()
            if self._items:
                return self._take(seat)
            self._slow_down(seat)
        raise Empty

    def get_nowait(self) -> Attempt:
        """Return the first attempt, or raise Empty."""
        with self._lock:
            if not self._items:
                raise Empty
            self._in_hand -= 1
            return self._items.popleft()

    def set_apart(
        self, most: int, may_follow: Callable[[Attempt], bool] = lambda _: True
    ) -> Sequence[Attempt]:
        """Return up to `most` attempts that the calling thread gets next, in this order.

        They are nobody else's until it steps aside. The first that may not follow ends the line.
        """
        seat = self._seats.mine
        with self._lock:
            while len(seat.set_apart) < most and self._items and may_follow(self._items[0]):
                seat.set_apart.append(self._items.popleft())
        return tuple(seat.set_apart)

    def step_aside(self) -> None:
        """Say that the calling thread is about to wait: another goes on. Costs little twice."""
        seat = self._seats.mine
        if not (seat.is_quick or seat.set_apart):
            return
        kept = self.let_go() if seat.set_apart else ()
        with self._lock:
            while seat.set_apart and seat.set_apart[-1].claimed.id not in kept:
                self._items.appendleft(seat.set_apart.pop())
            self._slow_down(seat)
            called = self._call()
        if called is not None:
            called.bell.release()
        elif self.has_chores():
            self.do_chores()

    def look_after(self) -> bool:
        """Wake somebody for what lies here, whoever has forgotten to step aside.

        False when all are at work.
        """
        with self._lock:
            is_hopeless = bool(self._items) and not self._waiting
            called = self._call(is_urgent=True)
        if called is not None:
            called.bell.release()
        return not is_hopeless

    def take_back(self) -> list[Attempt]:
        """Take out all that nobody has begun."""
        with self._lock:
            taken = list(self._items)
            self._items.clear()
            self._in_hand -= len(taken)
            return taken

    def is_empty(self) -> bool:
        """Whether no attempt lies ready, for anybody or for the calling thread."""
        return not (self._items or self._seats.mine.set_apart)

    def task_done(self) -> None:
        """Say that an attempt is dealt with (queue.Queue): nobody waits for that here."""

    def _room(self, goes_ahead: bool) -> Room | None:  # noqa: FBT001 - of its own class
        """Return what is worth a claim; else note when there will be."""
        # Who claims for another queue would wait for ever behind a queue that is never empty.
        ahead = self._foresight.ahead() if goes_ahead and self._claimers == 1 else 0
        free = self._places - self._in_hand
        places = max(0, free)
        ahead_left = ahead + min(0, free)
        if places or (ahead and ahead_left * 2 >= ahead):
            return Room(places, max(0, ahead_left))
        self._wake_claimers_at = max(self._places - 1, self._places + ahead // 2)
        return None

    def _tell_claimers(self) -> None:
        if self._in_hand <= self._wake_claimers_at:
            self._wake_claimers_at = _NOBODY
            self._has_room.notify_all()

    def _take(self, seat: _Seat) -> Attempt:
        if not seat.is_quick:
            seat.is_quick = True
            self._quick += 1
        seat.is_busy = True
        self.taken += 1
        return (seat.set_apart or self._items).popleft()

    def _slow_down(self, seat: _Seat) -> None:
        if seat.is_quick:
            seat.is_quick = False
            self._quick -= 1

    def _call_for_all(self) -> list[_Seat]:
        """Choose who is to be woken for all that lies here: one, or more where it is much work."""
        called: list[_Seat] = []
        if self._items:
            work_s = len(self._items) * self._foresight.takes_s(self._items[-1])
            wanted = min(len(self._items), 1 + int(work_s / _ALONE_S))
            while self._quick < wanted and (seat := self._call(is_urgent=True)) is not None:
                called.append(seat)
        return called

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
