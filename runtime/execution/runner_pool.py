"""The runners of a worker, at most `size`, and which attempt goes to which.

What waits for a runner waits here, by function, in the order of coming. A function's attempts go
to the runners that it has, up to their windows, then to an idle one of its file, then to a new
one, for which the idle one that was unused for longest makes way. Where others wait and nobody
is idle, a runner that many attempts share is closed for them.

Only the loop's thread is here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from runtime.execution.ending import Ending
from runtime.execution.keeper import RunnerKey
from runtime.execution.left_behind import LeftBehind
from runtime.execution.load_view import RunnerLoad, RunnerWait, load_of_runner
from runtime.execution.run import Run
from runtime.execution.run_times import RunTimes
from runtime.execution.runner import Runner
from runtime.execution.runner_frames import Limits
from runtime.execution.sequential import SLOW_S
from runtime.execution.waiting_runs import Load, WaitingRuns
from runtime.loop import Loop, Timer
from runtime.processes.fork_server import ForkServer
from runtime.registry.bundle import Bundle

MOST_ATTEMPTS = 10_000
_STALE_AFTER_S = 5.0
_HEIR_AT = 500  # so many attempts before a runner is replaced the next one is made
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
        limits: Limits,
        load_timeout_s: float,
        times: RunTimes,
        on_room: Callable[[], object] = lambda: None,
        most_attempts: int = MOST_ATTEMPTS,
    ) -> None:
        self._tell_room = on_room
        self.size = size
        self.times = times
        self._loop = loop
        self._fork_server = fork_server
        self._limits = limits
        self._load_timeout_s = load_timeout_s
        self._most_attempts = most_attempts
        self._runners: list[Runner] = []
        self._waiting = WaitingRuns()
        self._newest: dict[str, str] = {}  # file -> the version asked for last
        self._is_placing = self._is_stopped = False
        self._giving_back: Timer | None = None
        self._left_behind = LeftBehind()
        self._looking: Timer | None = None
        self._again: Timer | None = None

    def run(self, run: Run) -> None:
        """Have an attempt run; its listener hears how it ended."""
        self._waiting.add(run)
        self._place_soon()

    def stop_run(self, run: Run, ending: Ending) -> None:
        """End one attempt, wherever it is."""
        where = run.where
        if isinstance(where, Runner):
            where.stop(run, ending)
        elif isinstance(where, Load):
            self._waiting.withdraw(run)
            run.end(ending)

    def give_back(self) -> None:
        """Give back what has not begun, wherever it lies."""
        self._is_stopped = True
        for runner in list(self._runners):
            runner.recall()
        self._give_back_waiting(time.monotonic() + 1)

    def kill_all(self) -> None:
        """Kill all runners, and make no more; what they ran ends as what that means."""
        self._is_stopped = True
        for runner in list(self._runners):
            runner.kill()

    def places(self) -> int:
        """Return for how many attempts of any function there is a runner."""
        wanted = sum(
            self._waiting.count(load) for load in self._waiting if not self._is_soon_done(load)
        )
        free = self._free() - wanted
        if free <= 0 and not wanted and any(runner.is_shared for runner in self._runners):
            return 1  # one will be closed for it: who shares a runner keeps none from others
        return max(0, free)

    def rooms(self) -> dict[str, int]:
        """Return how many more attempts of each function would be taken by runners it has."""
        rooms: dict[str, int] = {}
        for runner in self._runners:
            name = runner.function
            if name:
                if name not in rooms:
                    rooms[name] = self._backlog(Load(name, runner.key))
                rooms[name] += runner.room()
        return rooms

    def _backlog(self, load: Load) -> int:
        """Return how many more may wait here for the runners that a quick function has."""
        waiting = self._waiting.count(load)
        mean_s = self.times.mean_s(load.function, load.key.version)
        if mean_s is None or self.times.window(load.function, load.key.version, 1) == 1:
            return -waiting
        return min(_LONGEST_BACKLOG, int(_ALONE_S / mean_s)) - waiting

    def view(self) -> list[RunnerLoad]:
        """Return what is shown of each runner."""
        return [load_of_runner(runner) for runner in self._runners if runner.process.pid]

    def waited(self) -> RunnerWait:
        """Return how long attempts have waited here so far."""
        return self._waiting.waited()

    def pids(self) -> list[int]:
        """Return the processes of all runners."""
        return sorted(runner.process.pid for runner in self._runners if runner.process.pid)

    # What runners tell (`runner.Keeper`).

    def on_room(self, runner: Runner) -> None:
        """Give it more, or to others what it made room for."""
        if runner.attempts >= self._most_attempts:
            runner.close()
        elif runner.attempts >= self._most_attempts - _HEIR_AT and not runner.has_heir:
            runner.has_heir = True  # whoever comes when this one goes need not wait
            self._make_ready(runner.key, runner.bundle)
        if self._waiting:
            self._place_soon()
        self._tell_room()

    def on_ran(self, runner: Runner, run: Run, *, left: str) -> None:
        """Learn how long a function takes; make its next runner ready where it costs one."""
        self.times.note(run.assignment.function, runner.key.version, run.ran_s)
        if left:
            self._succeed(runner.key, run.bundle, run.assignment.function, left)

    def on_slow(self, run: Run) -> None:
        """Send nothing behind its function's attempts until their times are known anew."""
        self.times.doubt(run.assignment.function, run.bundle.version)

    def on_dead(self, runner: Runner) -> None:
        """Its place is free."""
        self._runners.remove(runner)
        self._place_soon()
        self._tell_room()

    def place_again(self, runs: Sequence[Run]) -> None:
        """Find others for them, before all that came later."""
        self._waiting.add_first(runs)
        if runs:
            self._place_soon()

    def _place_soon(self) -> None:
        if not self._is_placing:
            self._is_placing = True
            self._loop.call_soon(self._place)

    def _place(self) -> None:
        """Give to runners what waits, as much as they take."""
        self._is_placing = False
        for load in self._waiting:
            while self._waiting.count(load) and (runner := self._find(load)) is not None:
                self._give(runner, load)
        if self._waiting:
            self._make_way()
            if self._giving_back is None:
                self._giving_back = self._loop.call_later(_PATIENCE_S, self._give_back_late)

    def _give(self, runner: Runner, load: Load) -> None:
        window = self._window(load)
        most = runner.room() if runner.function else window
        most = max(1, min(most, self._most_attempts - runner.attempts))
        runner.take(self._waiting.take(load, most), window=window)

    def _window(self, load: Load) -> int:
        """Return how many attempts may lie with a runner, of a function of which some wait."""
        window = self._waiting.first(load).manifest.window
        return self.times.window(load.function, load.key.version, window)

    def _find(self, load: Load) -> Runner | None:
        """Return who takes at least one of these."""
        if self._is_stopped:
            return None
        mine = [one for one in self._runners if (one.function, one.key) == load]
        first = self._waiting.first(load)
        is_shared = first.manifest.window > 1
        for runner in mine:
            # Where others wait, who runs one after the other is to become idle.
            if runner.attempts >= self._most_attempts:
                continue  # it is to be replaced
            if runner.room() and (is_shared or len(self._waiting) == 1 or not runner.runs):
                return runner
        if mine and not is_shared and self._is_soon_done(load):
            if self._again is None:
                self._again = self._loop.call_later(SLOW_S, self._place_late)
            return None
        for runner in self._runners:
            is_free = runner.state in {"idle", "starting"} and not runner.held
            if is_free and runner.key == load.key:
                return runner
        if mine and is_shared and self._free() <= 1 < self.size:
            return None  # the last place is for others
        return self._make(load.key, first.bundle)

    def _is_soon_done(self, load: Load) -> bool:
        """Whether what waits of a quick function is best left to the runners it has."""
        mine = [one for one in self._runners if (one.function, one.key) == load]
        if all(runner.is_slow for runner in mine):
            return False
        mean_s = self.times.mean_s(load.function, load.key.version)
        is_quick = self.times.window(load.function, load.key.version, 1) > 1
        return is_quick and mean_s is not None and self._waiting.count(load) * mean_s < _ALONE_S

    def _free(self) -> int:
        """Return how many runners nobody uses, with those that can yet be made."""
        idle = sum(runner.state == "idle" for runner in self._runners)
        return self.size - len(self._runners) + idle

    def _make(self, key: RunnerKey, bundle: Bundle) -> Runner | None:
        """Return a new runner; where there is no place, end an idle one: there will be one."""
        if len(self._runners) < self.size:
            return self._spawn(key, bundle)
        idle = [runner for runner in self._runners if runner.state == "idle"]
        if idle and not any(runner.state in {"closed", "dying"} for runner in self._runners):
            min(idle, key=lambda runner: runner.last_used).close()
        return None

    def _spawn(self, key: RunnerKey, bundle: Bundle) -> Runner:
        self._newest[key.file] = key.version
        self._end_stale()
        runner = Runner(
            key,
            bundle,
            self,
            loop=self._loop,
            fork_server=self._fork_server,
            limits=self._limits,
            load_timeout_s=self._load_timeout_s,
        )
        self._runners.append(runner)
        return runner

    def _end_stale(self) -> None:
        """End idle runners of versions that their file no longer has; look again while any are."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        before = time.monotonic() - _STALE_AFTER_S
        for runner in list(self._runners):
            if self._newest.get(runner.key.file) == runner.key.version:
                continue
            if runner.state == "idle" and runner.last_used <= before:
                runner.close()
            elif self._looking is None:
                self._looking = self._loop.call_later(_STALE_AFTER_S, self._end_stale)

    def _make_way(self) -> None:
        """Where somebody waits and no runner is idle or ending, close one that many share."""
        if any(runner.state in {"closed", "dying", "idle", "starting"} for runner in self._runners):
            return
        if len(self._runners) < self.size:
            return
        waiting = set(self._waiting)
        shared = [
            runner
            for runner in self._runners
            if runner.is_shared and (runner.function, runner.key) not in waiting
        ] or [runner for runner in self._runners if runner.is_shared]
        if shared:
            min(shared, key=lambda runner: runner.last_used).close()

    def _place_late(self) -> None:
        """Those who were to be done soon may not be."""
        self._again = None
        if self._waiting:
            self._place_soon()

    def _give_back_late(self) -> None:
        self._giving_back = None
        self._give_back_waiting(time.monotonic() - _PATIENCE_S)
        if self._waiting:
            self._giving_back = self._loop.call_later(_PATIENCE_S, self._give_back_late)

    def _give_back_waiting(self, before: float) -> None:
        """Give back what has waited since before a moment, unless a runner is on its way."""
        is_ending = any(runner.state in {"closed", "dying"} for runner in self._runners)
        if is_ending and not self._is_stopped:
            return
        for run in self._waiting.take_older(before):
            run.give_back()

    def _succeed(self, key: RunnerKey, bundle: Bundle, function: str, left: str) -> None:
        """Have the next runner of a function ready whose last one must not be used again."""
        self._left_behind.tell(function, key.version, left)
        self._make_ready(key, bundle)

    def _make_ready(self, key: RunnerKey, bundle: Bundle) -> None:
        """Have a loaded runner that nobody uses, if there is a place for it."""
        is_there = any(
            runner.key == key and runner.state in {"idle", "starting"} for runner in self._runners
        )
        if not is_there and len(self._runners) < self.size:
            self._spawn(key, bundle)
