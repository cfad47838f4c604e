"""A thread that sees to it that nothing lies forgotten in a worker.

Threads of a worker spare each other wake-ups by counting on one that is quick: for what
lies ready, for endings that wait for company, for answers that nobody has read. Where
that one is kept after all, the lookout wakes another within `_GRAIN_S`; and where all
threads are kept, what was taken ahead goes back to its lane, for other workers. It
sleeps while there is nothing to look after.
"""

from __future__ import annotations

import contextlib
import threading

import structlog

from runtime.broker.foresight import Foresight
from runtime.broker.settler import Settler
from runtime.broker.work_queue import WorkQueue
from runtime.telemetry.lasting import lasting_thread

_log = structlog.get_logger(__name__)
_GRAIN_S = 0.005
_HOPELESS_LOOKS = 4
_IDLE_LOOKS = 200  # being woken costs more than a look


class Lookout:
    """Looks after one worker's queue and endings from `start` until `stop`."""

    def __init__(self, work_queue: WorkQueue, settler: Settler, foresight: Foresight) -> None:
        self._work_queue = work_queue
        self._settler = settler
        self._foresight = foresight
        self._stopped = threading.Event()
        self._alarm = threading.Event()
        self._thread = lasting_thread(self._look_out, name="lookout")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; safe to call twice, and before `start`."""
        self._stopped.set()
        self._alarm.set()
        if self._thread.is_alive():
            self._thread.join()

    def alert(self) -> None:
        """Say that there is something to look after."""
        if not self._alarm.is_set():
            self._alarm.set()

    def _look_out(self) -> None:
        while not self._stopped.is_set():
            try:
                self._look_until_stopped()
            except Exception:  # noqa: BLE001 - outermost: somebody must look out
                with contextlib.suppress(Exception):  # it may be the log that fails
                    _log.exception("lookout_failed")

    def _look_until_stopped(self) -> None:
        idle_looks = hopeless_looks = 0
        taken_before = -1
        while not self._stopped.wait(_GRAIN_S):
            taken = self._work_queue.taken
            is_stuck = taken == taken_before and not self._work_queue.is_empty()
            is_hopeless = is_stuck and not self._work_queue.look_after()
            hopeless_looks = hopeless_looks + 1 if is_hopeless else 0
            if hopeless_looks >= _HOPELESS_LOOKS:
                self._give_back()
            self._settler.write_what_is_old()
            is_idle = taken == taken_before and self._settler.is_idle()
            idle_looks = idle_looks + 1 if is_idle else 0
            taken_before = taken
            if idle_looks >= _IDLE_LOOKS:
                self._alarm.clear()
                is_asked = self._stopped.is_set() or self._work_queue.taken != taken
                if self._work_queue.is_empty() and not is_asked:
                    self._alarm.wait()
                idle_looks = 0

    def _give_back(self) -> None:
        self._foresight.doubt()
        attempts = self._work_queue.take_back()
        _log.debug("taken_ahead_in_vain", count=len(attempts))
        self._settler.give_back(attempts)
