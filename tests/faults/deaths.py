"""Who was killed when: what recovery is measured from."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil


class Deaths:
    """Moments of the monotonic clock at which processes were killed, by their id."""

    def __init__(self) -> None:
        self.at_s: dict[int, float] = {}
        self.kills = 0

    def kill(self, process: psutil.Process) -> None:
        """Kill a process; what it started dies with it, and counts as killed now."""
        with contextlib.suppress(psutil.NoSuchProcess):
            pids = [process.pid, *(child.pid for child in process.children(recursive=True))]
            at_s = time.monotonic()
            process.kill()
            self.at_s |= dict.fromkeys(pids, at_s)
            self.kills += 1


@contextmanager
def repeating(every_s: float, strike: Callable[[], object]) -> Iterator[None]:
    """Strike again and again, the first time after `every_s`, until the block ends."""
    over = threading.Event()
    failures: list[BaseException] = []

    def strike_on() -> None:
        while not over.wait(every_s):
            try:
                strike()
            except Exception as error:  # noqa: BLE001 - told to the test when the block ends
                failures.append(error)
                return

    thread = threading.Thread(target=strike_on, name="strikes")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failures:
        raise failures[0]
