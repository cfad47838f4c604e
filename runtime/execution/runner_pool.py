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
from typing import NamedTuple

import structlog

from runtime.execution.ending import Ending
from runtime.execution.run import Run
from runtime.execution.run_times import RunTimes
from runtime.execution.runner import Runner, RunnerKey
from runtime.execution.runner_frames import Limits
from runtime.execution.sequential import SLOW_S
from runtime.loop import Loop, Timer
from runtime.processes.fork_server import ForkServer
from runtime.registry.bundle import Bundle

MOST_ATTEMPTS = 10_000
_STALE_AFTER_S = 5.0
_PATIENCE_S = 0.1  # what finds no runner here for so long goes back, for other workers
_ALONE_S = 0.002  # so much work of a quick function is left to the runners it has
_MOST_TOLD = 1_000
_log = structlog.get_logger(__name__)


class Load(NamedTuple):
    """What one function asks for: its attempts go to runners of `key`."""

    function: str
    key: RunnerKey


class RunnerView(NamedTuple):
    """What lies with one runner: `in_flight` attempts of a function, of `window` that may."""

    pid: int
    function: str
    version: str
    in_flight: int
    window: int


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
        self.waited_count, self.waited_s = 0, 0.0
        self._loop = loop
        self._fork_server = fork_server
        self._limits = limits
        self._load_timeout_s = load_timeout_s
        self._most_attempts = most_attempts
        self._runners: list[Runner] = []
        self._waiting: dict[Load, list[Run]] = {}
        self._newest: dict[str, str] = {}  # file -> the version asked for last
        self._is_placing = self._is_stopped = False
        self._giving_back: Timer | None = None
        self._looking: Timer | None = None
        self._again: Timer | None = None
        self._told: set[tuple[str, str]] = set()
        self._succeeding: dict[RunnerKey, Bundle] = {}  # as soon as there is a place

    def run(self, run: Run) -> None:
        """Have an attempt run; its listener hears how it ended."""
        options = run.manifest.options
        load = Load(
            run.assignment.function,
            RunnerKey(run.bundle.file, run.bundle.version, options.memory_bytes),
        )
        run.where = load
        self._waiting.setdefault(load, []).append(run)
        self._place_soon()

    def stop_run(self, run: Run, ending: Ending) -> None:
        """End one attempt, wherever it is."""
        where = run.where
        if isinstance(where, Runner):
            where.stop(run, ending)
        elif isinstance(where, Load):
            self._waiting[where].remove(run)
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
        busy = sum(runner.state != "idle" for runner in self._runners)
        waiting = sum(map(len, self._waiting.values()))
        free = self.size - busy - waiting
        if free <= 0 and not waiting and any(runner.is_shared for runner in self._runners):
            return (
                1  # one of these will be closed for it: who shares a runner keeps none from others
            )
        return max(0, free)

    def rooms(self) -> dict[str, int]:
        """Return how many more attempts of each function would be taken by runners it has."""
        rooms: dict[str, int] = {}
        for runner in self._runners:
            if runner.function and (room := runner.room()):
                rooms[runner.function] = rooms.get(runner.function, 0) + room
        for load, runs in self._waiting.items():
            if runs and load.function in rooms:
                rooms[load.function] = max(0, rooms[load.function] - len(runs))
        return rooms

    def view(self) -> list[RunnerView]:
        """Return what is shown of each runner."""
        return [
            RunnerView(
                pid=runner.pid,
                function=runner.function,
                version=runner.key.version,
                in_flight=runner.held,
                window=runner.window,
            )
            for runner in self._runners
            if runner.pid
        ]

    def pids(self) -> list[int]:
        """Return the processes of all runners."""
        return sorted(runner.pid for runner in self._runners if runner.pid)

    # What runners tell (`runner.Keeper`).

    def on_room(self, runner: Runner) -> None:
        """Give it more, or to others what it made room for."""
        if runner.attempts >= self._most_attempts:
            runner.close()
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
        bundle = self._succeeding.pop(runner.key, None)
        if bundle is not None and not self._is_stopped:
            self._make_ready(runner.key, bundle)
        self._place_soon()
        self._tell_room()

    def place_again(self, runs: Sequence[Run]) -> None:
        """Find others for them, before all that came later."""
        for run in reversed(runs):
            options = run.manifest.options
            load = Load(
                run.assignment.function,
                RunnerKey(run.bundle.file, run.bundle.version, options.memory_bytes),
            )
            run.where = load
            self._waiting.setdefault(load, []).insert(0, run)
        if runs:
            self._place_soon()

    def _place_soon(self) -> None:
        if not self._is_placing:
            self._is_placing = True
            self._loop.call_soon(self._place)

    def _place(self) -> None:
        """Give to runners what waits, as much as they take."""
        self._is_placing = False
        for load in list(self._waiting):
            runs = self._waiting[load]
            while runs and (runner := self._find(load, runs)) is not None:
                self._give(runner, load, runs)
            if not runs:
                del self._waiting[load]
        if self._waiting:
            self._make_way()
            if self._giving_back is None:
                self._giving_back = self._loop.call_later(_PATIENCE_S, self._give_back_late)

    def _give(self, runner: Runner, load: Load, runs: list[Run]) -> None:
        window = self._window(load, runs[0])
        most = runner.room() if runner.function else window
        most = max(1, min(most, self._most_attempts - runner.attempts))
        taken = runs[:most]
        del runs[:most]
        now = time.monotonic()
        self.waited_count += len(taken)
        for run in taken:
            self.waited_s += now - run.created_at
        runner.take(taken, window=window)

    def _window(self, load: Load, run: Run) -> int:
        per_process = run.manifest.window
        return self.times.window(load.function, load.key.version, per_process)

    def _find(self, load: Load, runs: list[Run]) -> Runner | None:
        """Return who takes at least one of these."""
        if self._is_stopped:
            return None
        mine = [one for one in self._runners if (one.function, one.key) == load]
        is_shared = runs[0].manifest.window > 1
        for runner in mine:
            # Where others wait, who runs one after the other is to become idle.
            if runner.attempts >= self._most_attempts:
                continue  # it is to be replaced
            if runner.room() and (is_shared or len(self._waiting) == 1 or not runner.runs):
                return runner
        if not is_shared and self._is_soon_done(mine, load, len(runs)):
            if self._again is None:
                self._again = self._loop.call_later(SLOW_S, self._place_late)
            return None
        for runner in self._runners:
            is_free = runner.state in {"idle", "starting"} and not runner.held
            if is_free and runner.key == load.key:
                return runner
        if mine and is_shared and self._free() <= 1 < self.size:
            return None  # the last place is for others
        return self._make(load.key, runs[0].bundle)

    def _is_soon_done(self, mine: Sequence[Runner], load: Load, count: int) -> bool:
        """Whether so many attempts of a quick function are best left to the runners it has."""
        if all(runner.is_slow for runner in mine):
            return False
        mean_s = self.times.mean_s(load.function, load.key.version)
        is_quick = self.times.window(load.function, load.key.version, 1) > 1
        return is_quick and mean_s is not None and count * mean_s < _ALONE_S

    def _free(self) -> int:
        """Return how many runners nobody uses, with those that can yet be made."""
        idle = sum(runner.state == "idle" for runner in self._runners)
        return self.size - len(self._runners) + idle

    def _make(self, key: RunnerKey, bundle: Bundle) -> Runner | None:
        """Return a new runner; where there is no place, end an idle one, whose place is free then."""
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
        """Close a runner that many share where a function has none, and none is idle or ending."""
        if any(runner.state in {"closed", "dying", "idle", "starting"} for runner in self._runners):
            return
        if len(self._runners) < self.size:
            return
        served = {(runner.function, runner.key) for runner in self._runners}
        if all(load in served for load in self._waiting):
            return  # who has a runner, if a full one, takes none from others
        shared = [runner for runner in self._runners if runner.is_shared]
        shared = [one for one in shared if (one.function, one.key) not in self._waiting] or shared
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
        for load in list(self._waiting):
            runs = self._waiting[load]
            kept = [run for run in runs if run.created_at > before]
            late = [run for run in runs if run.created_at <= before]
            if kept:
                self._waiting[load] = kept
            else:
                del self._waiting[load]
            for run in late:
                run.give_back()

    def _succeed(self, key: RunnerKey, bundle: Bundle, function: str, left: str) -> None:
        """Have the next runner of a function ready whose last one must not be used again."""
        if (function, key.version) not in self._told:
            if len(self._told) >= _MOST_TOLD:
                self._told.clear()
            self._told.add((function, key.version))
            _log.info("runner_not_used_again", function=function, version=key.version, left=left)
        if not self._make_ready(key, bundle):
            self._succeeding[key] = bundle

    def _make_ready(self, key: RunnerKey, bundle: Bundle) -> bool:
        """Have a runner that can be given something at once; False where there is no place."""
        if any(one.key == key and one.state in {"idle", "starting"} for one in self._runners):
            return True
        if len(self._runners) >= self.size:
            return False
        self._spawn(key, bundle)
        return True
