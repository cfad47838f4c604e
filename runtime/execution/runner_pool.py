"""Which attempt goes to which of a worker's runners.

What waits for a runner waits here, by function, in the order of coming. A function's attempts go
to the runners that it has, up to their windows, then to an idle one of its file, then to a new
one. Where others wait and nobody is idle, a runner that many attempts share is closed for them.

Only the loop's thread is here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from runtime.execution.leak_log import LeakLog
from runtime.execution.load_view import RunnerLoad, RunnerWait, load_of_runner
from runtime.execution.outcome import Ending
from runtime.execution.run import Run
from runtime.execution.run_times import RunTimes
from runtime.execution.runner import Runner
from runtime.execution.runner_protocol import RunnerLimits
from runtime.execution.runners import Runners
from runtime.execution.sequential import SLOW_S, is_slow
from runtime.execution.unexplained_deaths import UnexplainedDeaths
from runtime.execution.waiting_runs import RunnerNeed, WaitingRuns
from runtime.loop import Loop, Timer
from runtime.processes.fork_server import ForkServer

MOST_ATTEMPTS = 10_000
_PATIENCE_S = 0.1  # what finds no runner here for so long goes back, for other workers
_ALONE_S = 0.002  # so much work of a quick function is left to the runners it has
_LONGEST_BACKLOG = 48  # of a quick function: so that claims are large


class RunnerPool:
    """The runners of one worker process.

    Args:
        loop: The worker's.
        fork_server: Where runners come from.
        size: How many may exist at once.
        limits: What they enforce.
        load_timeout_s: How long one may take to load a bundle.
        times: How long functions take.
        on_room: Called when there may be room for more than before.
        most_attempts: A runner is replaced after this many.
    """

    def __init__(
        self,
        loop: Loop,
        fork_server: ForkServer,
        *,
        size: int,
        limits: RunnerLimits,
        load_timeout_s: float,
        times: RunTimes,
        on_room: Callable[[], object] = lambda: None,
        most_attempts: int = MOST_ATTEMPTS,
    ) -> None:
        self._on_capacity = on_room
        self.times = times
        self._loop = loop
        self._runners = Runners(
            loop,
            fork_server,
            self,
            size=size,
            limits=limits,
            load_timeout_s=load_timeout_s,
            most_attempts=most_attempts,
            times=times,
        )
        self._waiting = WaitingRuns()
        self._is_placing = self._is_stopped = False
        self._giving_back: Timer | None = None
        self._left_behind = LeakLog()
        self._unexplained = UnexplainedDeaths()
        self._again: Timer | None = None

    def run(self, run: Run) -> None:
        """Have an attempt run; its listener hears how it ended."""
        self._runners.ask(run.bundle.file, run.bundle.version)
        self._waiting.add(run)
        self._assign_soon()

    def stop_run(self, run: Run, ending: Ending) -> None:
        """End one attempt, wherever it is."""
        where = run.where
        if isinstance(where, Runner):
            where.stop(run, ending)
        elif isinstance(where, RunnerNeed):
            self._waiting.withdraw(run)
            run.end(ending)
            self._assign_soon()  # a runner may have been closed for it

    def return_unstarted(self) -> None:
        """Give back what has not begun, wherever it lies."""
        self._is_stopped = True
        for runner in self._runners:
            runner.process.look_at_all()  # what has ended has
        for runner in self._runners:
            runner.recall()
        self._give_back_waiting(time.monotonic() + 1)

    def kill_all(self) -> None:
        """Kill all runners, and make no more; what they ran ends as what that means."""
        self._is_stopped = True
        self._runners.kill_all()

    def capacity(self) -> int:
        """Return for how many attempts of any function there is a runner."""
        wanted = sum(self._waiting.count(load) for load in self._waiting if self._is_in_need(load))
        free = self._runners.free() - wanted
        if free <= 0 and not self._waiting and self._runners.about_to_yield() is not None:
            return 1  # one will be closed for it: who shares a runner keeps none from others
        return max(0, free)

    def rooms(self) -> dict[str, int]:
        """Return how many more attempts of each function would be taken by runners it has.

        0 says that none is wanted, not for a free place either.
        """
        rooms: dict[str, int] = {}
        for runner in self._runners:
            name = runner.function
            if name and self._runners.is_newest(runner.key):  # what is claimed is of no other
                if name not in rooms:
                    rooms[name] = self._backlog(RunnerNeed(name, runner.key))
                rooms[name] += runner.room()
        rooms = {name: room for name, room in rooms.items() if room > 0}
        for load in self._waiting:  # who waits for its own runners wants no more to wait
            if not self._is_in_need(load) and not self._is_soon_done(load):
                rooms[load.function] = 0
        return rooms

    def _backlog(self, load: RunnerNeed) -> int:
        """Return how many more may wait here for the runners that a quick function has."""
        waiting = self._waiting.count(load)
        mean_s = self.times.mean_s(load.function, load.key.version)
        if mean_s is None or self.times.window(load.function, load.key.version, 1) == 1:
            return -waiting
        return min(_LONGEST_BACKLOG, int(_ALONE_S / mean_s)) - waiting

    def view(self) -> list[RunnerLoad]:
        """Return what is shown of each runner."""
        return [load_of_runner(runner) for runner in self._runners if runner.process.pid]

    def pids(self) -> list[int]:
        """Return the processes of all runners."""
        return sorted(one.pid for one in self.view())

    def waited(self) -> RunnerWait:
        """Return how long attempts have waited here so far."""
        return self._waiting.waited()

    # What runners tell (`runner.RunnerOwner`).

    def on_room(self, runner: Runner) -> None:
        """Give it more, or to others what it made room for."""
        self._runners.replace_worn(runner)
        if self._waiting:
            self._assign_soon()
        self._on_capacity()

    def on_ran(self, runner: Runner, run: Run, *, left: str) -> None:
        """Learn how long a function takes; make its next runner ready where it costs one."""
        self._unexplained.forget(run)
        self.times.note(run.assignment.function, runner.key.version, run.ran_s)
        if left:
            self._left_behind.log(run.assignment.function, runner.key.version, left)
            runner.is_missed = True

    def on_slow(self, run: Run) -> None:
        """Send nothing behind its function's attempts until their times are known anew."""
        self.times.doubt(run.assignment.function, run.bundle.version)

    def is_to_count(self, run: Run) -> bool:
        """Whether it was with too many that died so."""
        return self._unexplained.note(run)

    def on_dead(self, runner: Runner) -> None:
        """Its place is free."""
        self._runners.remove(runner)
        if runner.is_missed and not self._is_stopped:  # its function's next call need not wait
            self._runners.make_ready(runner.key, runner.bundle)
        self._assign_soon()
        self._on_capacity()

    def requeue(self, runs: Sequence[Run]) -> None:
        """Find others for them, before all that came later."""
        for run in runs:
            if run.is_cancelled:  # while its runner was ending
                run.end(Ending(kind="cancelled"))
        self._waiting.add_first([run for run in runs if not run.is_cancelled])
        if self._waiting:
            self._assign_soon()

    def _assign_soon(self) -> None:
        if not self._is_placing:
            self._is_placing = True
            self._loop.call_soon(self._assign)

    def _assign(self) -> None:
        """Give to runners what waits, as much as they take."""
        self._is_placing = False
        try:
            for load in self._waiting:
                while self._waiting.count(load) and (runner := self._find(load)) is not None:
                    self._give(runner, load)
            if self._waiting:
                self._runners.make_way(set(self._waiting))
            else:
                self._runners.reopen()
        finally:  # whatever fails, nothing waits for ever
            if self._waiting and self._giving_back is None:
                self._giving_back = self._loop.call_later(_PATIENCE_S, self._give_back_late)

    def _give(self, runner: Runner, load: RunnerNeed) -> None:
        window = self._window(load)
        most = runner.room() if runner.function else window
        most = max(1, min(most, self._runners.most_attempts - runner.attempts))
        runner.take(self._waiting.take(load, most), window=window)

    def _window(self, load: RunnerNeed) -> int:
        """Return how many attempts may lie with a runner, of a function of which some wait."""
        window = self._waiting.first(load).manifest.window
        return self.times.window(load.function, load.key.version, window)

    def _find(self, load: RunnerNeed) -> Runner | None:
        """Return who takes at least one of these."""
        if self._is_stopped:
            return None
        mine = self._runners.of(load)
        first = self._waiting.first(load)
        is_shared = first.manifest.window > 1
        for runner in mine:
            # Where others wait, who runs one after the other is to become idle.
            if runner.attempts >= self._runners.most_attempts:
                continue  # it is to be replaced
            if runner.room() and (is_shared or len(self._waiting) == 1 or not runner.runs):
                return runner
        if mine and not is_shared and self._is_soon_done(load):
            if self._again is None:
                self._again = self._loop.call_later(SLOW_S, self._assign_late)
            return None
        if (unused := self._runners.unused(load.key)) is not None:
            return unused
        if mine and is_shared and self._runners.free() <= 1 < self._runners.size:
            return None  # the last place is for others
        return self._runners.make(load.key, first.bundle)

    def _is_in_need(self, load: RunnerNeed) -> bool:
        """Whether what waits needs runners that are free: it has none, or shares none."""
        is_shared = self._waiting.first(load).manifest.window > 1
        is_served = is_shared and bool(self._runners.of(load))
        return not (is_served or self._is_soon_done(load))

    def _is_soon_done(self, load: RunnerNeed) -> bool:
        """Whether what waits of a quick function is best left to the runners it has."""
        mine = self._runners.of(load)
        if all(is_slow(runner) for runner in mine):
            return False
        mean_s = self.times.mean_s(load.function, load.key.version)
        is_quick = self.times.window(load.function, load.key.version, 1) > 1
        return is_quick and mean_s is not None and self._waiting.count(load) * mean_s < _ALONE_S

    def _assign_late(self) -> None:
        """Those who were to be done soon may not be."""
        self._again = None
        if self._waiting:
            self._assign_soon()

    def _give_back_late(self) -> None:
        self._giving_back = None
        try:
            self._assign()  # first: a place may have become free in this turn
        finally:  # whatever fails, nothing waits for ever
            self._give_back_waiting(time.monotonic() - _PATIENCE_S)
            self._assign_soon()  # runners that were closed for it in vain are opened

    def _give_back_waiting(self, before: float) -> None:
        """Give back what has waited since before a moment, unless a runner is on its way."""
        if self._runners.is_capacity_coming() and not self._is_stopped:
            return
        for run in self._waiting.take_older(before):
            run.requeue()
