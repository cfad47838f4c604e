"""Asyncio tasks and threads that last as long as their process: a crash is logged and restarted.

Otherwise an exception ends a task or thread silently, and its work is never done again. So every
endless loop starts here: a crash is logged, counted (`penstock_background_crashes_total`) and the
loop started again. `tests/repo_rules` finds loops that start elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine

_PAUSE_S = 1.0


class Crashes:
    """The number of crashes in this process since it was last reported. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def note(self, name: str, error: Exception) -> None:
        """Log and count a crash. Call it while the exception is handled."""
        with self._lock:
            self._count += 1
        with contextlib.suppress(Exception):  # logging itself may fail
            import structlog  # noqa: PLC0415 - a runner needs it for nothing else

            structlog.get_logger(__name__).error("background_crashed", loop=name, exc_info=error)

    def take(self) -> int:
        """Return the count and reset it."""
        with self._lock:
            count, self._count = self._count, 0
        return count


CRASHES = Crashes()


def lasting_task(
    run: Callable[[], Coroutine[object, object, None]], *, name: str, pause_s: float = _PAUSE_S
) -> asyncio.Task[None]:
    """Return a task that runs `run` until it returns or is cancelled; crashes restart it."""

    async def last() -> None:
        while True:
            try:
                await run()
            except Exception as error:  # noqa: BLE001 - the outermost loop of a task
                CRASHES.note(name, error)
                await asyncio.sleep(pause_s)
            else:
                return

    return asyncio.get_running_loop().create_task(last(), name=name)


def lasting_thread(
    run: Callable[[], None], *, name: str, pause_s: float = _PAUSE_S
) -> threading.Thread:
    """Return a daemon thread, not started, that restarts `run` until it returns."""

    def last() -> None:
        while True:
            try:
                run()
            except Exception as error:  # noqa: BLE001 - the outermost loop of a thread
                CRASHES.note(name, error)
                time.sleep(pause_s)
            else:
                return

    return threading.Thread(target=last, name=name, daemon=True)
