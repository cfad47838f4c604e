"""The set of runners of one worker process: at most `size`; started, closed and replaced here.

If a new runner is needed and all slots are taken, the idle runner unused for longest is closed.
Idle runners of replaced versions are closed after 5 s. A worn runner's replacement is started
before the runner is closed. Loop thread only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator

from runtime.execution.run_times import RunTimes
from runtime.execution.runner import Runner, RunnerOwner
from runtime.execution.runner_handle import RunnerKey
from runtime.execution.waiting_runs import RunnerNeed
from runtime.loop import Loop, Timer
from runtime.registry.bundle import Bundle

MakeRunner = Callable[[RunnerKey, Bundle, RunnerOwner], Runner]
_STALE_AFTER_S = 5.0
_SOON_S = 2.0  # a runner closed for other functions is empty by then, or is reopened
_HEIR_AT = 500  # this many attempts before a runner is worn, its replacement is started


class Runners:
    """The runners of one worker process.

    Args:
        loop: The worker's event loop.
        make_runner: Starts a runner.
        owner: Gives attempts to the runners.
        size: How many runners may exist at once.
        most_attempts: A runner is replaced after this many attempts.
        times: Run times of functions.
    """

    def __init__(
        self,
        loop: Loop,
        make_runner: MakeRunner,
        owner: RunnerOwner,
        *,
        size: int,
        most_attempts: int,
        times: RunTimes,
    ) -> None:
        self.size = size
        self.most_attempts = most_attempts
        self._loop = loop
        self._make_runner = make_runner
        self._owner = owner
        self._times = times
        self._all: list[Runner] = []
        self._newest: dict[str, str] = {}  # file → the version requested last
        self._looking: Timer | None = None

    def __iter__(self) -> Iterator[Runner]:
        return iter(tuple(self._all))

    def of(self, load: RunnerNeed) -> list[Runner]:
        """Return the runners that are running this function."""
        return [one for one in self._all if (one.function, one.key) == load]

    def unused(self, key: RunnerKey) -> Runner | None:
        """Return a runner of this key without attempts, idle or still starting."""
        for runner in self._all:
            if runner.key == key and runner.state in {"idle", "starting"} and not runner.held:
                return runner
        return None

    def free(self) -> int:
        """Return how many runners are idle or can still be started."""
        idle = sum(runner.state == "idle" for runner in self._all)
        return self.size - len(self._all) + idle

    def ask(self, file: str, version: str) -> None:
        """Note which version of a file is current, and close idle runners of others in time."""
        if self._newest.get(file) != version:
            self._newest[file] = version
            self._end_stale()

    def is_newest(self, key: RunnerKey) -> bool:
        """Whether this is the version that was requested last for its file."""
        return self._newest.get(key.file) == key.version

    def is_capacity_coming(self) -> bool:
        """Whether a slot is about to be free: a runner is dying or was closed for others."""
        return any(one.state == "dying" for one in self._all) or any(self._yielding())

    def make(self, key: RunnerKey, bundle: Bundle) -> Runner | None:
        """Start a runner; if no slot is free, close an idle one and return None."""
        if len(self._all) < self.size:
            return self._spawn(key, bundle)
        idle = [runner for runner in self._all if runner.state == "idle"]
        # A dying runner frees a slot soon; closing another would be one too many.
        if idle and not any(runner.state == "dying" for runner in self._all):
            min(idle, key=lambda runner: runner.last_used).close()
        return None

    def make_ready(self, key: RunnerKey, bundle: Bundle) -> None:
        """Start a runner unless one is unused already or no slot is free."""
        if self.unused(key) is None and len(self._all) < self.size:
            self._spawn(key, bundle)

    def make_way(self, waiting: Collection[RunnerNeed]) -> None:
        """Close a shared runner if a waiting function has none; reopen any closed too long ago."""
        is_served = {(one.function, one.key) for one in self._all}.issuperset(waiting)
        self.reopen(closed_before=None if is_served else time.monotonic() - _SOON_S)
        if is_served:  # a function that has a runner, even a full one, takes none from others
            return
        if (shared := self.about_to_yield(waiting)) is not None:
            shared.make_way()

    def reopen(self, closed_before: float | None = None) -> None:
        """Reopen runners closed for other functions: all, or those closed before a moment."""
        for runner in self._all:
            since = runner.yields_since
            if since is not None and (closed_before is None or since <= closed_before):
                runner.reopen()

    def about_to_yield(self, waiting: Collection[RunnerNeed] = ()) -> Runner | None:
        """Return the shared runner to close for waiting functions; None if a slot is free or soon.

        Only runners of functions that finish soon: a closed runner gets no attempts until empty.
        """
        if len(self._all) < self.size or self.is_capacity_coming():
            return None
        if any(one.state in {"idle", "starting"} for one in self._all):
            return None
        shared = [one for one in self._all if one.is_shared and self._is_soon_over(one)]
        # Prefer a function that has nothing waiting, then the runner unused for longest.
        others = [one for one in shared if (one.function, one.key) not in waiting]
        return min(others or shared, key=lambda runner: runner.last_used, default=None)

    def replace_worn(self, runner: Runner) -> None:
        """Close a runner that is worn; start its replacement some attempts before that."""
        if runner.attempts >= self.most_attempts:
            runner.close()
        elif runner.attempts >= self.most_attempts - _HEIR_AT and not runner.has_heir:
            runner.has_heir = True
            self.make_ready(runner.key, runner.bundle)

    def remove(self, runner: Runner) -> None:
        """Remove a runner that is dead."""
        self._all.remove(runner)

    def kill_all(self) -> None:
        """Kill all runners; their attempts end as `Runner.on_dead` decides."""
        for runner in self:
            runner.kill()

    def _yielding(self) -> Iterator[Runner]:
        """Yield runners that were closed for other functions less than `_SOON_S` ago."""
        since = time.monotonic() - _SOON_S
        return (
            one for one in self._all if one.yields_since is not None and one.yields_since > since
        )

    def _is_soon_over(self, runner: Runner) -> bool:
        mean_s = self._times.mean_s(runner.function, runner.key.version)
        since = time.monotonic() - _SOON_S
        is_lasting = any(run.sent_at < since for run in runner.runs.values())
        return not is_lasting and (mean_s is None or mean_s < _SOON_S)

    def _spawn(self, key: RunnerKey, bundle: Bundle) -> Runner:
        self.ask(key.file, key.version)
        runner = self._make_runner(key, bundle, self._owner)
        self._all.append(runner)
        return runner

    def _end_stale(self) -> None:
        """Close idle runners of replaced versions; check again later while there are any."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        # One timer for all of them, set again while any is left.
        before = time.monotonic() - _STALE_AFTER_S
        for runner in self:
            if self.is_newest(runner.key):
                continue
            if runner.state == "idle" and runner.last_used <= before:
                runner.close()
            elif self._looking is None:
                self._looking = self._loop.call_later(_STALE_AFTER_S, self._end_stale)
