"""The runners that a worker has, at most `size`: made, ended, replaced.

An idle one that was unused for longest makes way where another is needed. Idle ones of versions
that their file no longer has go after a while; the next is made before the last one is worn.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator

from runtime.execution.run_times import RunTimes
from runtime.execution.runner import Runner, RunnerOwner
from runtime.execution.runner_handle import RunnerKey
from runtime.execution.runner_protocol import RunnerLimits
from runtime.execution.waiting_runs import RunnerNeed
from runtime.loop import Loop, Timer
from runtime.processes.fork_server import ForkServer
from runtime.registry.bundle import Bundle

_STALE_AFTER_S = 5.0
_SOON_S = 2.0  # who is closed for others is empty by then, or opened again
_HEIR_AT = 500  # so many attempts before a runner is replaced the next one is made


class Runners:
    """Those of one worker process; the loop's thread only.

    Args:
        loop: The worker's.
        fork_server: Where they come from.
        owner: Gives them attempts.
        size: How many may exist at once.
        limits: What they enforce.
        load_timeout_s: How long one may take to load a bundle.
        most_attempts: One is replaced after this many.
        times: How long functions take.
    """

    def __init__(
        self,
        loop: Loop,
        fork_server: ForkServer,
        owner: RunnerOwner,
        *,
        size: int,
        limits: RunnerLimits,
        load_timeout_s: float,
        most_attempts: int,
        times: RunTimes,
    ) -> None:
        self.size = size
        self.most_attempts = most_attempts
        self._loop = loop
        self._fork_server = fork_server
        self._owner = owner
        self._limits = limits
        self._load_timeout_s = load_timeout_s
        self._times = times
        self._all: list[Runner] = []
        self._newest: dict[str, str] = {}  # file -> the version asked for last
        self._looking: Timer | None = None

    def __iter__(self) -> Iterator[Runner]:
        return iter(tuple(self._all))

    def of(self, load: RunnerNeed) -> list[Runner]:
        """Return those that run this function."""
        return [one for one in self._all if (one.function, one.key) == load]

    def unused(self, key: RunnerKey) -> Runner | None:
        """Return one that runs nothing, or will soon be able to."""
        for runner in self._all:
            if runner.key == key and runner.state in {"idle", "starting"} and not runner.held:
                return runner
        return None

    def free(self) -> int:
        """Return how many nobody uses, with those that can yet be made."""
        idle = sum(runner.state == "idle" for runner in self._all)
        return self.size - len(self._all) + idle

    def ask(self, file: str, version: str) -> None:
        """Note that a file's attempts are of this version now."""
        if self._newest.get(file) != version:
            self._newest[file] = version
            self._end_stale()

    def is_newest(self, key: RunnerKey) -> bool:
        """Whether one is of the version that was asked for last."""
        return self._newest.get(key.file) == key.version

    def is_capacity_coming(self) -> bool:
        """Whether one is about to be gone: it dies, or has been closed for others just now."""
        return any(one.state == "dying" for one in self._all) or any(self._yielding())

    def make(self, key: RunnerKey, bundle: Bundle) -> Runner | None:
        """Return a new one; where there is no place, end an idle one: there will be one."""
        if len(self._all) < self.size:
            return self._spawn(key, bundle)
        idle = [runner for runner in self._all if runner.state == "idle"]
        if idle and not any(runner.state == "dying" for runner in self._all):
            min(idle, key=lambda runner: runner.last_used).close()
        return None

    def make_ready(self, key: RunnerKey, bundle: Bundle) -> None:
        """Have one that nobody uses, if there is a place for it."""
        if self.unused(key) is None and len(self._all) < self.size:
            self._spawn(key, bundle)

    def make_way(self, waiting: Collection[RunnerNeed]) -> None:
        """Close one that many share where a function has none; open one closed in vain."""
        is_served = {(one.function, one.key) for one in self._all}.issuperset(waiting)
        self.reopen(closed_before=None if is_served else time.monotonic() - _SOON_S)
        if is_served:  # who has a runner, if a full one, takes none from others
            return
        if (shared := self.about_to_yield(waiting)) is not None:
            shared.make_way()

    def reopen(self, closed_before: float | None = None) -> None:
        """Open those again that were closed for others, or only what was so for too long."""
        for runner in self._all:
            since = runner.yields_since
            if since is not None and (closed_before is None or since <= closed_before):
                runner.reopen()

    def about_to_yield(self, waiting: Collection[RunnerNeed] = ()) -> Runner | None:
        """Return who is to be closed where others wait: none where a place is free or coming.

        Only of a function whose attempts are soon over: it gets nothing more meanwhile.
        """
        if len(self._all) < self.size or self.is_capacity_coming():
            return None
        if any(one.state in {"idle", "starting"} for one in self._all):
            return None
        shared = [one for one in self._all if one.is_shared and self._is_soon_over(one)]
        others = [one for one in shared if (one.function, one.key) not in waiting]
        return min(others or shared, key=lambda runner: runner.last_used, default=None)

    def replace_worn(self, runner: Runner) -> None:
        """Close one that has run its share; have the next one made before that."""
        if runner.attempts >= self.most_attempts:
            runner.close()
        elif runner.attempts >= self.most_attempts - _HEIR_AT and not runner.has_heir:
            runner.has_heir = True
            self.make_ready(runner.key, runner.bundle)

    def remove(self, runner: Runner) -> None:
        """Forget one that is gone."""
        self._all.remove(runner)

    def kill_all(self) -> None:
        """Kill all; what they run ends as what that means."""
        for runner in self:
            runner.kill()

    def _yielding(self) -> Iterator[Runner]:
        """Yield those that were closed for others, and are given time to become empty."""
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
        runner = Runner(
            key,
            bundle,
            self._owner,
            loop=self._loop,
            fork_server=self._fork_server,
            limits=self._limits,
            load_timeout_s=self._load_timeout_s,
        )
        self._all.append(runner)
        return runner

    def _end_stale(self) -> None:
        """End idle runners of versions that their file no longer has; look again while any are."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        before = time.monotonic() - _STALE_AFTER_S
        for runner in self:
            if self.is_newest(runner.key):
                continue
            if runner.state == "idle" and runner.last_used <= before:
                runner.close()
            elif self._looking is None:
                self._looking = self._loop.call_later(_STALE_AFTER_S, self._end_stale)
