"""Run attempts, from an assignment to its ending.

    isolation="process"   a runner of the pool      `runtime.execution.runner_pool`
    isolation="thread"    a thread of this process  `runtime.execution.thread_lane`

Called in the loop's thread; nothing here waits. Whatever user code does ends in an `Ending`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from runtime.execution.ending import Ending
from runtime.execution.run import Run
from runtime.execution.runner_pool import RunnerPool
from runtime.execution.thread_lane import ThreadLane

LOAD_TIMEOUT_S = 10.0


class Capacity(NamedTuple):
    """What can be run besides what is here.

    Attributes:
        places: Attempts of any function.
        rooms: How many more of these functions, by name.
    """

    places: int
    rooms: Mapping[str, int]


class Executor:
    """Runs attempts in runners or, where a function asks for it, in threads.

    Args:
        pool: Runs those with isolation="process".
        lane: Runs those with isolation="thread".
    """

    def __init__(self, *, pool: RunnerPool, lane: ThreadLane) -> None:
        self._pool = pool
        self._lane = lane

    def run(self, run: Run) -> None:
        """Have an attempt run; its listener hears how it ended, or that it was given back."""
        if run.manifest.options.isolation == "thread":
            self._lane.submit(run)
        else:
            self._pool.run(run)

    def cancel(self, run: Run, *, by_caller: bool = False) -> None:
        """End an attempt as "cancelled", unless it is over.

        A function in a thread is interrupted; with `by_caller` it only sees that it is cancelled.
        """
        if run.where is None:
            return
        run.is_cancelled = True
        if run.manifest.options.isolation == "thread":
            self._lane.cancel(run, by_caller=by_caller)
        else:
            self._pool.stop_run(run, Ending(kind="cancelled"))

    def capacity(self) -> Capacity:
        """Return what can be run besides what is here."""
        places = max(0, self._pool.places() - self._lane.count())
        return Capacity(places, self._pool.rooms())

    def give_back(self) -> None:
        """Give back what has not begun, and begin nothing more."""
        self._pool.give_back()
        self._lane.give_back()

    def stop(self) -> None:
        """Kill all runners; twice is safe."""
        self._pool.kill_all()
        self._lane.stop()

    def view(self) -> list[dict[str, object]]:
        """Return what GET /workers shows of each runner."""
        return self._pool.view()
