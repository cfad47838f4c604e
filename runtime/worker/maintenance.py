"""The maintenance thread of a worker: its tasks take short steps in turn.

    wait until a task is due, a wake-up token comes, or `stop` ──► one step of one task ──► wait
        Redis is away: no step of any task for 0.25 s. A step that fails: this task rests for 1 s.

`maintenance_steps.py` lists the tasks. A step sends a few commands and returns when its task wants
the next one, so no task is later than by one step of another, 50 ms at most. If the worker is
killed, other workers go on: every task keeps its state in Redis or begins anew.
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
from runtime.store.reconnection import AWAY_PAUSE_S
from runtime.store.wake_lists import WakeLists
from runtime.telemetry.background import CRASHES, lasting_thread

_log = structlog.get_logger(__name__)
_FAILED_PAUSE_S = 1.0
_STOP_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceTask:
    """Something that is done again and again, one step at a time.

    Attributes:
        name: Its name in logs.
        step: Does at most 50 ms of work; returns the seconds until its next step, `math.inf` for
            never again. May raise StoreError.
        first_after_s: Seconds from the start of the thread to the first step.
        wake_key: A list in Redis; a token in it makes the task due now.
        is_punctual: Whether it precedes other tasks that are due.
        give_up: Called in the thread at its end, to leave unfinished work to other workers.
    """

    name: str
    step: Callable[[], float]
    first_after_s: float = 0.0
    wake_key: str = ""
    is_punctual: bool = False
    give_up: Callable[[], None] = lambda: None


class RoundTask:
    """A task whose round takes several steps. After the last, or a failure, it starts anew."""

    _under_way: Iterator[float] | None = None

    def step(self) -> float:
        """Take the next step; return the seconds until the one after it.

        Raises:
            StoreError: Redis is away or refused a command.
        """
        # Cleared first: if the step raises, the next one begins a new round.
        under_way, self._under_way = self._under_way or self._round(), None
        rest_s = next(under_way, None)
        if rest_s is None:
            return 0.0
        self._under_way = under_way
        return rest_s

    def _round(self) -> Iterator[float]:
        """Yield after each step the seconds until the next."""
        raise NotImplementedError


class Maintenance:
    """Runs tasks from `start` until `stop`. It may be started again.

    The loop thread calls `start` and `stop`; the maintenance thread writes all fields in between.

    Args:
        jobs: The tasks, with different names.
        connection: The connection that all tasks use; closed at the end.
        waiting: Another connection, to wait for wake-up tokens.
    """

    def __init__(
        self,
        jobs: Sequence[MaintenanceTask],
        *,
        connection: BlockingConnection,
        waiting: BlockingConnection,
    ) -> None:
        self._jobs = tuple(jobs)
        self._connection = connection
        # Wake-up list -> name of its task.
        self._woken = {job.wake_key: job.name for job in jobs if job.wake_key}
        self._wake_lists = WakeLists(waiting, tuple(self._woken))
        self._due_at: dict[str, float] = {}  # by name
        self._refusals: dict[str, str] = {}  # the last error logged, by name
        self._away_until = 0.0  # Redis is away: no steps before this moment
        self._last: MaintenanceTask | None = None  # the task of the last step
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None  # loop thread

    def start(self) -> None:
        """Start the maintenance thread."""
        now = time.monotonic()
        self._due_at = {job.name: now + job.first_after_s for job in self._jobs}
        self._stopping.clear()
        self._interrupted, self._interrupt = socket.socketpair()
        self._thread = lasting_thread(self._run, name="upkeep")
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current step. Calling it twice is safe."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        self._interrupt.close()  # makes `_interrupted` readable, which ends the wait for tokens
        thread.join(_STOP_LIMIT_S)
        if thread.is_alive():  # it waits for a Redis that does not reply: end that
            self._connection.close()
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
        # What is unfinished goes to other workers; closing the wake lists leaves a token in each.
        for job in self._jobs:
            self._guarded(job.name, job.give_up)
        self._wake_lists.close()
        self._connection.close()

    def _next(self, now: float) -> MaintenanceTask | None:
        """Return the next due task, or None; none goes twice in a row while others are due."""
        if now < self._away_until:
            return None
        due = [job for job in self._jobs if self._due_at[job.name] <= now]

        def rank(job: MaintenanceTask) -> tuple[bool, bool, float]:
            return job is self._last, not job.is_punctual, self._due_at[job.name]

        return min(due, key=rank, default=None)

    def _guarded(self, name: str, do: Callable[[], float | None]) -> float:
        """Run a step and handle what it raises; return the seconds until the task's next."""
        try:
            pause_s = do()
        except StoreUnavailableError:  # the heartbeat logs it
            self._away_until = time.monotonic() + AWAY_PAUSE_S
            return 0.0
        except StoreError as error:
            if self._refusals.get(name) != str(error):
                self._refusals[name] = str(error)
                _log.error("upkeep_failed", job=name, error=str(error))
            return _FAILED_PAUSE_S
        except Exception as error:  # noqa: BLE001 - outermost: the other tasks must go on
            CRASHES.note(name, error)
            return _FAILED_PAUSE_S
        self._refusals.pop(name, None)
        return pause_s or 0.0
