"""Threads that take from a work queue, and what they take."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty

from runtime.broker.foresight import Foresight
from runtime.broker.work_queue import WorkQueue
from tests.support.waiting import eventually


class Named(str):
    """Something that can be told apart by its id, as attempts can."""

    __slots__ = ()

    @property
    def claimed(self) -> Named:
        return self

    @property
    def id(self) -> str:
        return str(self)


class AheadOf(Foresight):
    """As if so many calls were worth taking ahead."""

    def __init__(self, ahead: int, *, takes_s: float = 0.0) -> None:
        super().__init__()
        self._so_many = ahead
        self._takes_s = takes_s

    def ahead(self) -> int:
        return self._so_many

    def takes_s(self, _: object) -> float:
        return self._takes_s


def put(work_queue: WorkQueue, *items: object) -> None:
    room = work_queue.reserve(timeout_s=5)
    assert room is not None
    work_queue.fill(room, items)


class Crew:
    """Threads that take from a queue; what each took is noted."""

    def __init__(self, work_queue: WorkQueue, size: int) -> None:
        self.work_queue = work_queue
        self.took: list[tuple[str, object]] = []
        self._stopping = False
        self._threads = [threading.Thread(target=self._work, name=f"t{n}") for n in range(size)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        eventually(lambda: len(self.work_queue._waiting) == len(self._threads))

    def stop(self) -> None:
        eventually(self.work_queue.is_empty)
        self._stopping = True
        for thread in self._threads:
            thread.join(5)

    def _work(self) -> None:
        while not self._stopping:
            try:
                item = self.work_queue.get(timeout=0.05)
            except Empty:
                continue
            self.took.append((threading.current_thread().name, item))
            if callable(item):
                item()


def hold_until(event: threading.Event) -> Callable[[], None]:
    def hold() -> None:
        assert event.wait(5)

    return hold
