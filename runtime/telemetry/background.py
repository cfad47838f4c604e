"""What shall live as long as its process: tasks and threads whose crash is seen and mended.

An exception ends a task or a thread in silence when nobody awaits it, and what it did is
never done again. So whatever loops for ever begins here: a crash is logged, counted
(`penstock_background_crashes_total`) and the loop begun anew; `tests/house` finds others.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine

_PAUSE_S = 1.0


class Crashes:
    """How often something of this process crashed, until that is told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def note(self, name: str, error: Exception) -> None:
        """Log and count one; called while the exception is handled."""
        with self._lock:
            self._count += 1
        with contextlib.suppress(Exception):  # it may be the log that fails
            import structlog  # noqa: PLC0415 - nobody else of a runner needs it

            structlog.get_logger(__name__).error("background_crashed", loop=name, exc_info=error)

    def take(self) -> int:
        """Return the count, and begin anew."""
        with self._lock:
            count, self._count = self._count, 0
        return count


CRASHES = Crashes()


def lasting_task(
    run: Callable[[], Coroutine[object, object, None]], *, name: str, pause_s: float = _PAUSE_S
) -> asyncio.Task[None]:
    """Run a coroutine in the running loop until it returns or is cancelled, crash for crash."""

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
    """Return a daemon thread, not started yet, that runs a function until it returns."""

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
