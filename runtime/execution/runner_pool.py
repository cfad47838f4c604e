"""Warm runners, at most `size` in all, each for one version of one function file.

A runner is held by one thread from `acquire` to `release` or `discard`. When there
is no room, the idle runner unused for longest makes way. Runners of a version that
has been replaced go when they have been idle for a while.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from runtime.errors import ProcessError
from runtime.execution.ears import OnWait
from runtime.execution.runner import Runner, RunnerKey
from runtime.processes.fork_server import ForkServer

RUNNER_ENTRY = "runtime.execution.runner_child:main"
PRELOAD = ("runtime.execution.runner_child", "runtime.execution.warming")  # for the fork server
MOST_ATTEMPTS = 10_000
_STALE_AFTER_S = 5.0


class RunnerPool:
    """The runners of one worker process; safe to use from many threads.

    Args:
        fork_server: Where runners come from.
        size: How many may exist at once.
        most_attempts: A runner is replaced after this many.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        fork_server: ForkServer,
        *,
        size: int,
        most_attempts: int = MOST_ATTEMPTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fork_server = fork_server
        self.size = size
        self.most_attempts = most_attempts
        self._clock = clock
        self._changed = threading.Condition()
        self._idle: dict[RunnerKey, list[Runner]] = {}  # the last one was used last
        self._held: set[Runner] = set()
        self._reserved = 0
        self._newest: dict[str, str] = {}  # file -> the version asked for last
        self._stopped = False

    def acquire(self, key: RunnerKey, *, on_wait: OnWait = lambda: None) -> Runner:
        """Return a runner of this key: a warm one, or a new one that has yet to load.

        Waits while all runners are held. A warm one may have died while it was idle;
        whoever begins an attempt on it is told, discards it and asks for another.

        Args:
            key: What the runner is for.
            on_wait: Called where no warm one is at hand.

        Raises:
            ProcessError: No process can be made, or the pool is stopped.
        """
        with self._changed:
            runner = self._take_idle(key)
            if runner is None:
                on_wait()
            while runner is None and not self._has_room():
                self._changed.wait()
                runner = self._take_idle(key)
            evicted = self._take_stale(key)
            if runner is None:
                evicted += self._make_room()
                self._reserved += 1
        for old in evicted:
            old.end()
        return runner or self._spawn(key)

    def acquire_spare(self, key: RunnerKey) -> Runner | None:
        """Return a new runner that has yet to load; None where one waits, or there is no place.

        Raises:
            ProcessError: No process can be made, or the pool is stopped.
        """
        with self._changed:
            if self._stopped:
                raise ProcessError("the runners are stopped")
            idle_count = sum(map(len, self._idle.values()))
            is_full = len(self._held) + self._reserved + idle_count >= self.size
            if is_full or key in self._idle:
                return None
            self._reserved += 1
        return self._spawn(key)

    def release(self, runner: Runner) -> None:
        """Give a runner back that has answered."""
        runner.last_used = self._clock()
        with self._changed:
            is_worn = runner.attempts >= self.most_attempts or self._stopped
            if not is_worn and runner in self._held:
                self._held.remove(runner)
                self._idle.setdefault(runner.key, []).append(runner)
                self._changed.notify()
        if is_worn:
            self.discard(runner)

    def discard(self, runner: Runner) -> None:
        """Kill a runner and forget it; its process is gone when this returns."""
        runner.end()
        with self._changed:
            self._held.discard(runner)
            self._changed.notify()

    def pids(self) -> list[int]:
        """Return the processes of all runners."""
        with self._changed:
            idle = [runner for runners in self._idle.values() for runner in runners]
            return sorted(runner.pid for runner in (*idle, *self._held))

    def stop(self) -> None:
        """Kill all runners, also those held; twice is safe."""
        with self._changed:
            self._stopped = True
            idle = [runner for runners in self._idle.values() for runner in runners]
            self._idle.clear()
            for runner in self._held:  # who holds it sees it die, and discards it
                runner.kill()
            self._changed.notify_all()
        for runner in idle:
            runner.end()

    def _take_idle(self, key: RunnerKey) -> Runner | None:
        if self._stopped:
            raise ProcessError("the runners are stopped")
        runners = self._idle.get(key)
        if not runners:
            return None
        runner = runners.pop()
        if not runners:
            del self._idle[key]
        self._held.add(runner)
        return runner

    def _has_room(self) -> bool:
        return bool(self._idle) or len(self._held) + self._reserved < self.size

    def _make_room(self) -> list[Runner]:
        """Take the idle runner unused for longest, if all places are taken."""
        idle_count = sum(map(len, self._idle.values()))
        if len(self._held) + self._reserved + idle_count < self.size:
            return []
        oldest = min((runners[0] for runners in self._idle.values()), key=lambda r: r.last_used)
        self._remove_idle(oldest)
        return [oldest]

    def _take_stale(self, key: RunnerKey) -> list[Runner]:
        """Take the runners of versions that this file no longer has."""
        if not self._idle and self._newest.get(key.file) == key.version:
            return []
        self._newest[key.file] = key.version
        before = self._clock() - _STALE_AFTER_S
        stale = [
            runner
            for runners in self._idle.values()
            for runner in runners
            if runner.key.version != self._newest.get(runner.key.file)
            and runner.last_used <= before
        ]
        for runner in stale:
            self._remove_idle(runner)
        return stale

    def _remove_idle(self, runner: Runner) -> None:
        runners = self._idle[runner.key]
        runners.remove(runner)
        if not runners:
            del self._idle[runner.key]

    def _spawn(self, key: RunnerKey) -> Runner:
        runner: Runner | None = None
        try:
            child = self._fork_server.spawn(RUNNER_ENTRY, memory_bytes=key.memory_bytes)
            runner = Runner(key, child)
        finally:
            with self._changed:
                self._reserved -= 1
                if runner is None:
                    self._changed.notify()
                else:
                    self._held.add(runner)
                is_late = self._stopped
        if is_late:
            self.discard(runner)
            raise ProcessError("the runners are stopped")
        return runner
