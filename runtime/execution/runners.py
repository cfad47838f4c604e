"""The runners that a worker has, at most `size`: made, ended, replaced.

An idle one that was unused for longest makes way where another is needed. Idle ones of versions
that their file no longer has go after a while; the next is made before the last one is worn.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator

from runtime.execution.keeper import Keeper, RunnerKey
from runtime.execution.runner import Runner
from runtime.execution.runner_frames import Limits
from runtime.execution.waiting_runs import Load
from runtime.loop import Loop, Timer
from runtime.processes.fork_server import ForkServer
from runtime.registry.bundle import Bundle

_STALE_AFTER_S = 5.0
_HEIR_AT = 500  # so many attempts before a runner is replaced the next one is made


class Runners:
    """Those of one worker process; the loop's thread only.

    Args:
        loop: The worker's.
        fork_server: Where they come from.
        keeper: Gives them attempts.
        size: How many may exist at once.
        limits: What they enforce.
        load_timeout_s: How long one may take to load a bundle.
        most_attempts: One is replaced after this many.
    """

    def __init__(
        self,
        loop: Loop,
        fork_server: ForkServer,
        keeper: Keeper,
        *,
        size: int,
        limits: Limits,
        load_timeout_s: float,
        most_attempts: int,
    ) -> None:
        self.size = size
        self.most_attempts = most_attempts
        self._loop = loop
        self._fork_server = fork_server
        self._keeper = keeper
        self._limits = limits
        self._load_timeout_s = load_timeout_s
        self._all: list[Runner] = []
        self._newest: dict[str, str] = {}  # file -> the version asked for last
        self._looking: Timer | None = None

    def __iter__(self) -> Iterator[Runner]:
        return iter(tuple(self._all))

    def of(self, load: Load) -> list[Runner]:
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

    def is_ending(self) -> bool:
        """Whether one is about to make way."""
        return any(runner.state in {"closed", "dying"} for runner in self._all)

    def make(self, key: RunnerKey, bundle: Bundle) -> Runner | None:
        """Return a new one; where there is no place, end an idle one: there will be one."""
        if len(self._all) < self.size:
            return self._spawn(key, bundle)
        idle = [runner for runner in self._all if runner.state == "idle"]
        if idle and not self.is_ending():
            min(idle, key=lambda runner: runner.last_used).close()
        return None

    def make_ready(self, key: RunnerKey, bundle: Bundle) -> None:
        """Have one that nobody uses, if there is a place for it."""
        if self.unused(key) is None and len(self._all) < self.size:
            self._spawn(key, bundle)

    def make_way(self, waiting: Collection[Load]) -> None:
        """Close one that many share where a function has none, and none is idle or ending."""
        is_full = len(self._all) == self.size
        if not is_full or any(one.state not in {"running", "dead"} for one in self._all):
            return
        served = {(one.function, one.key) for one in self._all}
        if served.issuperset(waiting):
            return  # who has a runner, if a full one, takes none from others
        shared = [one for one in self._all if one.is_shared]
        others = [one for one in shared if (one.function, one.key) not in waiting]
        if shared:
            min(others or shared, key=lambda runner: runner.last_used).close()

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

    def _spawn(self, key: RunnerKey, bundle: Bundle) -> Runner:
        self._newest[key.file] = key.version
        self._end_stale()
        runner = Runner(
            key,
            bundle,
            self._keeper,
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
            if self._newest.get(runner.key.file) == runner.key.version:
                continue
            if runner.state == "idle" and runner.last_used <= before:
                runner.close()
            elif self._looking is None:
                self._looking = self._loop.call_later(_STALE_AFTER_S, self._end_stale)
