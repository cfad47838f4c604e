"""A worker's loop in a test: in a thread of its own, or turned by the test itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from runtime.loop import Loop
from tests.support.waiting import allowed

T = TypeVar("T")


def turn_until(loop: Loop, check: Callable[[], T], *, within_s: float = 20.0) -> T:
    """Turn the loop until `check` is truthy, and return its answer."""
    within_s = allowed(within_s)
    deadline = time.monotonic() + within_s
    while not (answer := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {check}; last answer {answer!r}")
        loop.turn(0.02)
    return answer


def turn_for(loop: Loop, seconds: float) -> None:
    """Turn the loop for so long."""
    ends_at = time.monotonic() + seconds
    while (left_s := ends_at - time.monotonic()) > 0:
        loop.turn(left_s)


class LoopThread:
    """Runs a loop in a thread; others do things there by `do`."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._thread = threading.Thread(target=loop.run, name="loop")

    def start(self) -> None:
        self._thread.start()

    def do(self, act: Callable[[], T]) -> T:
        """Do something in the loop's thread, and return what came of it."""
        done: Future[T] = Future()

        def call() -> None:
            try:
                done.set_result(act())
            except BaseException as error:  # noqa: BLE001 - for who asked
                done.set_exception(error)

        self.loop.call_soon_threadsafe(call)
        return done.result(10)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self.loop.close()


@contextmanager
def running_loop() -> Iterator[LoopThread]:
    """Run a loop until the block ends."""
    thread = LoopThread(Loop())
    thread.start()
    try:
        yield thread
    finally:
        thread.stop()
