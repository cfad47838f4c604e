"""One thread for what a worker does besides its attempts: jobs that take short steps in turns.

The worker process lists its jobs: take-over, housekeeping, sweeping, checks, schedules and looks at
the functions folder. A step sends a few commands and says when the job wants its next, so no job is
late by more than another's step, which takes 50 ms at most. A job that fails stops no other.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from runtime.errors import StoreError, StoreUnavailableError
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.wake_lists import WakeLists
from runtime.telemetry.background import CRASHES, lasting_thread

_log = structlog.get_logger(__name__)
_AWAY_PAUSE_S = 0.25
_FAILED_PAUSE_S = 1.0
_STOP_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceTask:
    """Something that is done again and again, a little at a time.

    Attributes:
        name: What logs call it.
        step: Does a little, 50 ms of work at most; returns the seconds until its next step,
            `math.inf` for never again. May raise StoreError.
        first_after_s: Seconds from the start to the first step.
        wake_key: A list in Redis, a token in which says that there is something to do now.
        is_punctual: Goes before other jobs that are due.
        give_up: Called in the thread at the end, to leave to other workers what is under way.
    """

    name: str
    step: Callable[[], float]
    first_after_s: float = 0.0
    wake_key: str = ""
    is_punctual: bool = False
    give_up: Callable[[], None] = lambda: None


class RoundTask:
    """What takes several steps before it begins anew; after a failure it begins anew, too."""

    _under_way: Iterator[float] | None = None

    def step(self) -> float:
        """Take the next step; return for how many seconds to rest.

        Raises:
            StoreError: Redis is away, or refuses.
        """
        under_way, self._under_way = self._under_way or self._round(), None
        rest_s = next(under_way, None)
        if rest_s is None:
            return 0.0
        self._under_way = under_way
        return rest_s

    def _round(self) -> Iterator[float]:
        """Yield after each step for how long to rest."""
        raise NotImplementedError


class Maintenance:
    """Runs jobs from `start` until `stop`; may be started again.

    Args:
        jobs: With different names.
        line: The connection that the jobs use; closed at the end.
        waiting: Another connection, for the wait for tokens.
    """

    def __init__(
        self,
        jobs: Sequence[MaintenanceTask],
        *,
        line: BlockingConnection,
        waiting: BlockingConnection,
    ) -> None:
        self._jobs = tuple(jobs)
        self._line = line
        self._woken = {job.wake_key: job.name for job in jobs if job.wake_key}
        self._wake_lists = WakeLists(waiting, tuple(self._woken))
        self._due_at: dict[str, float] = {}
        self._refusals: dict[str, str] = {}
        self._away_until = 0.0
        self._last: MaintenanceTask | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        now = time.monotonic()
        self._due_at = {job.name: now + job.first_after_s for job in self._jobs}
        self._stopping.clear()
        self._interrupted, self._interrupt = socket.socketpair()
        self._thread = lasting_thread(self._run, name="upkeep")
        self._thread.start()

    def stop(self) -> None:
        """Stop after the step under way; twice is safe. What is under way is left to others."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        self._interrupt.close()  # ends a wait
        thread.join(_STOP_LIMIT_S)
        if thread.is_alive():  # it waits for a Redis that has stopped
            self._line.close()
            thread.join(_STOP_LIMIT_S)
        self._interrupted.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            wanted_at = max(self._away_until, min(self._due_at.values()))
            wait_s = max(0.0, wanted_at - time.monotonic())
            woken = self._wake_lists.wait(wait_s, self._interrupted)
            if woken is not None:
                self._due_at[self._woken[woken]] = 0.0
            job = self._next(time.monotonic())
            if job is not None and not self._stopping.is_set():
                self._last = job
                pause_s = self._guarded(job.name, job.step)
                self._due_at[job.name] = time.monotonic() + pause_s
        for job in self._jobs:
            self._guarded(job.name, job.give_up)
        self._wake_lists.close()
        self._line.close()

    def _next(self, now: float) -> MaintenanceTask | None:
        """Return the job whose turn it is, if any is due; none goes twice while others are due."""
        if now < self._away_until:
            return None
        due = [job for job in self._jobs if self._due_at[job.name] <= now]

        def rank(job: MaintenanceTask) -> tuple[bool, bool, float]:
            return job is self._last, not job.is_punctual, self._due_at[job.name]

        return min(due, key=rank, default=None)

    def _guarded(self, name: str, do: Callable[[], float | None]) -> float:
        """Do something whatever it raises; return the seconds until the job's next step."""
        try:
            pause_s = do()
        except StoreUnavailableError:  # others tell of it
            self._away_until = time.monotonic() + _AWAY_PAUSE_S
            return 0.0
        except StoreError as error:
            if self._refusals.get(name) != str(error):
                self._refusals[name] = str(error)
                _log.error("upkeep_failed", job=name, error=str(error))
            return _FAILED_PAUSE_S
        except Exception as error:  # noqa: BLE001 - outermost: the other jobs must go on
            CRASHES.note(name, error)
            return _FAILED_PAUSE_S
        self._refusals.pop(name, None)
        return pause_s or 0.0
