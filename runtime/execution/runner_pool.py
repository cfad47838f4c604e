"""Assigns the attempts of one worker process to its runners.

Attempts wait here by function, oldest first. Each goes to a runner of its function that has free
window, else to an idle runner of its file version, else to a new runner. If other functions wait
and no runner is idle, a runner shared by many attempts is closed for them. An attempt that finds no
runner within 0.1 s goes back to the queue, for other workers.

Loop thread only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import structlog

from runtime.execution.load_view import RunnerLoad, RunnerWait
from runtime.execution.outcome import CANCELLED, Ending
from runtime.execution.prefetch import backlog_of, is_soon_done, window_of
from runtime.execution.run import Run
from runtime.execution.run_times import RunTimes
from runtime.execution.runner import Runner
from runtime.execution.runners import MakeRunner, Runners
from runtime.execution.sequential_runner import SLOW_S, is_slow
from runtime.execution.unexplained_deaths import UnexplainedDeaths
from runtime.execution.waiting_runs import RunnerNeed, WaitingRuns
from runtime.loop import Loop, Timer

_log = structlog.get_logger(__name__)
MOST_ATTEMPTS = 10_000
_PATIENCE_S = 0.1  # an attempt that waits longer goes back to the queue, for other workers
_MOST_LEAKS_LOGGED = 1_000


class RunnerPool:
    """The runners of one worker process, and the attempts that wait for one.

    Args:
        loop: The worker's event loop.
        make_runner: Starts a runner.
        size: How many runners may exist at once.
        times: Run times of functions.
        on_room: Called when `capacity` or `rooms` may have grown.
        most_attempts: A runner is replaced after this many attempts.
    """

    def __init__(
        self,
        loop: Loop,
        make_runner: MakeRunner,
        *,
        size: int,
        times: RunTimes,
        on_room: Callable[[], object] = lambda: None,
        most_attempts: int = MOST_ATTEMPTS,
    ) -> None:
        self._on_capacity = on_room
        self.times = times
        self._loop = loop
        self._runners = Runners(
            loop,
            make_runner,
            self,
            size=size,
            most_attempts=most_attempts,
            times=times,
        )
        self._waiting = WaitingRuns()
        self._is_placing = self._is_stopped = False
        self._giving_back: Timer | None = None
        self._left_behind: set[tuple[str, str]] = set()  # functions and versions logged
        self._unexplained = UnexplainedDeaths()
        self._again: Timer | None = None

    def run(self, run: Run) -> None:
        """Queue an attempt for a runner; `run.listener` gets `on_ended` or `on_returned`."""
        self._runners.ask(run.bundle.file, run.bundle.version)
        self._waiting.add(run)
        self._assign_soon()

    def stop_run(self, run: Run, ending: Ending) -> None:
        """Finish one attempt with this ending, whether it waits here or is at a runner."""
        where = run.where
        if isinstance(where, Runner):
            where.stop(run, ending)
        elif isinstance(where, RunnerNeed):
            self._waiting.withdraw(run)
            run.end(ending)
            self._assign_soon()  # so that a runner closed for it is reopened

    def return_unstarted(self) -> None:
        """Requeue all attempts that have not started, waiting here or sent to a runner."""
        self._is_stopped = True
        for runner in self._runners:
            runner.process.look_at_all()  # an answer already in the channel counts
        for runner in self._runners:
            runner.recall()
        self._give_back_waiting(time.monotonic() + 1)

    def kill_all(self) -> None:
        """Kill all runners and start no more; their attempts end as `Runner.on_dead` decides."""
        self._is_stopped = True
        self._runners.kill_all()

    def capacity(self) -> int:
        """Return for how many more attempts of any function there is a runner."""
        wanted = sum(self._waiting.count(load) for load in self._waiting if self._is_in_need(load))
        free = self._runners.free() - wanted
        if free <= 0 and not self._waiting and self._runners.about_to_yield() is not None:
            return 1  # a shared runner will be closed for it, so that it cannot block others
        return max(0, free)

    def rooms(self) -> dict[str, int]:
        """Return how many more attempts of each function its existing runners would take.

        0 means that no more of it should be claimed, even while `capacity` is free.
        """
        rooms: dict[str, int] = {}
        for runner in self._runners:
            name = runner.function
            if name and self._runners.is_newest(runner.key):  # only this version is claimed
                if name not in rooms:
                    rooms[name] = backlog_of(self.times, name, runner.key.version)
                    rooms[name] -= self._waiting.count(RunnerNeed(name, runner.key))
                rooms[name] += runner.room()
        rooms = {name: room for name, room in rooms.items() if room > 0}
        # These functions have attempts waiting for runners of their own: claim no more of them.
        for load in self._waiting:
            if not self._is_in_need(load) and not self._is_soon_done(load):
                rooms[load.function] = 0
        return rooms

    @property
    def runners(self) -> tuple[Runner, ...]:
        """All runners, those without a process too."""
        return tuple(self._runners)

    def view(self) -> list[RunnerLoad]:
        """Return the load of each runner that has a process."""
        return [
            RunnerLoad(
                pid=runner.process.pid,
                function=runner.function,
                version=runner.key.version,
                in_flight=runner.held,
                window=runner.window,
            )
            for runner in self._runners
            if runner.process.pid
        ]

    def waited(self) -> RunnerWait:
        """Return how many attempts have waited here so far, and how long in total."""
        return self._waiting.waited()

    # Called by runners (`runner.RunnerOwner`).

    def on_room(self, runner: Runner) -> None:
        """Assign waiting attempts, as this runner may take some; replace it if it is worn."""
        self._runners.replace_worn(runner)
        if self._waiting:
            self._assign_soon()
        self._on_capacity()

    def on_ran(self, runner: Runner, run: Run, *, left: str) -> None:
        """Record the run time; have a runner with a leak replaced as soon as it is gone."""
        self._unexplained.forget(run)
        self.times.note(run.assignment.function, runner.key.version, run.ran_s)
        if left:
            self._log_leak(run.assignment.function, runner.key.version, left)
            runner.is_missed = True

    def _log_leak(self, function: str, version: str, left: str) -> None:
        """Log what an attempt left running, once for each version of a function."""
        if (function, version) not in self._left_behind:
            if len(self._left_behind) >= _MOST_LEAKS_LOGGED:
                self._left_behind.clear()
            self._left_behind.add((function, version))
            _log.info("runner_not_used_again", function=function, version=version, left=left)

    def on_slow(self, run: Run) -> None:
        """Treat the function as not quick until its run times show otherwise."""
        self.times.doubt(run.assignment.function, run.bundle.version)

    def is_to_count(self, run: Run) -> bool:
        """Whether the attempt was at too many runners that died without an explanation."""
        return self._unexplained.note(run)

    def on_dead(self, runner: Runner) -> None:
        """Free the runner's slot, and start its replacement if it needs one."""
        self._runners.remove(runner)
        if runner.is_missed and not self._is_stopped:  # so that the next attempt need not wait
            self._runners.make_ready(runner.key, runner.bundle)
        self._assign_soon()
        self._on_capacity()

    def requeue(self, runs: Sequence[Run]) -> None:
        """Put attempts that have not started back, before all that came later."""
        for run in runs:
            if run.is_cancelled:  # cancelled while its runner was dying
                run.end(CANCELLED)
        self._waiting.add_first([run for run in runs if not run.is_cancelled])
        if self._waiting:
            self._assign_soon()

    def _assign_soon(self) -> None:
        if not self._is_placing:
            self._is_placing = True
            # Runs at the end of the turn: one pass for all attempts that the turn brings.
            self._loop.call_soon(self._assign)

    def _assign(self) -> None:
        """Give waiting attempts to runners, as many as they take."""
        self._is_placing = False
        try:
            for load in self._waiting:
                while self._waiting.count(load) and (runner := self._find(load)) is not None:
                    self._give(runner, load)
            if self._waiting:
                self._runners.make_way(set(self._waiting))
            else:
                self._runners.reopen()
        finally:  # if this raised, what waits still goes back to the queue after 0.1 s
            if self._waiting and self._giving_back is None:
                self._giving_back = self._loop.call_later(_PATIENCE_S, self._give_back_late)

    def _give(self, runner: Runner, load: RunnerNeed) -> None:
        window = self._window(load)
        most = runner.room() if runner.function else window
        most = max(1, min(most, self._runners.most_attempts - runner.attempts))
        runner.take(self._waiting.take(load, most), window=window)

    def _window(self, load: RunnerNeed) -> int:
        """Return how many attempts of this function may be in flight at one runner."""
        window = self._waiting.first(load).manifest.window
        return window_of(self.times, load.function, load.key.version, window)

    def _find(self, load: RunnerNeed) -> Runner | None:
        """Return a runner that takes at least one of these attempts, None if there is none now."""
        if self._is_stopped:
            return None
        mine = self._runners.of(load)
        first = self._waiting.first(load)
        is_shared = first.manifest.window > 1
        for runner in mine:
            if runner.attempts >= self._runners.most_attempts:
                continue  # it is about to be replaced
            # While other functions wait, a sequential runner gets no more until it is idle.
            if runner.room() and (is_shared or len(self._waiting) == 1 or not runner.runs):
                return runner
        if mine and not is_shared and self._is_soon_done(load):
            # Its runners will be done before a new one has started. Check again then.
            if self._again is None:
                self._again = self._loop.call_later(SLOW_S, self._assign_late)
            return None
        if (unused := self._runners.unused(load.key)) is not None:
            return unused
        if mine and is_shared and self._runners.free() <= 1 < self._runners.size:
            return None  # the last slot is for other functions
        return self._runners.make(load.key, first.bundle)

    def _is_in_need(self, load: RunnerNeed) -> bool:
        """Whether these attempts need an idle or new runner; not if theirs serve them soon."""
        is_shared = self._waiting.first(load).manifest.window > 1
        is_served = is_shared and bool(self._runners.of(load))
        return not (is_served or self._is_soon_done(load))

    def _is_soon_done(self, load: RunnerNeed) -> bool:
        """Whether a quick function's waiting attempts are best left to the runners it has."""
        mine = self._runners.of(load)
        if all(is_slow(runner) for runner in mine):
            return False
        waiting = self._waiting.count(load)
        return is_soon_done(self.times, load.function, load.key.version, waiting)

    def _assign_late(self) -> None:
        """Assign again: the runners that were expected to be done soon may not be."""
        self._again = None
        if self._waiting:
            self._assign_soon()

    def _give_back_late(self) -> None:
        self._giving_back = None
        try:
            self._assign()  # first, as a runner may have become free in this turn
        finally:  # even if this raised, nothing waits here longer than that
            self._give_back_waiting(time.monotonic() - _PATIENCE_S)
            self._assign_soon()  # reopens runners that were closed for what was returned

    def _give_back_waiting(self, before: float) -> None:
        """Requeue what has waited since before this moment, unless a runner is about to be free."""
        if self._runners.is_capacity_coming() and not self._is_stopped:
            return
        for run in self._waiting.take_older(before):
            run.requeue()
