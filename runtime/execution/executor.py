"""Run attempts: the worker's one entry to both backends.

    isolation="process"   a runner process of the pool    `runtime.execution.runner_pool`
    isolation="thread"    a thread of the worker process  `runtime.execution.thread_backend`

All methods are called on the worker's loop thread and return at once. Whatever user code does, the
attempt finishes with an `Ending`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from runtime.dependencies.provision import Provision
from runtime.execution.environments import Environments
from runtime.execution.outcome import CANCELLED
from runtime.execution.run import Run
from runtime.execution.run_times import QUICK_S, RunTimes
from runtime.execution.runner import Runner
from runtime.execution.runner_pool import MOST_ATTEMPTS, RunnerPool
from runtime.execution.runner_protocol import RunnerLimits
from runtime.execution.thread_backend import ThreadBackend
from runtime.execution.thread_run import ThreadRun
from runtime.loop import Loop
from runtime.processes.fork_server import ForkServer

LOAD_TIMEOUT_S = 10.0
# Most attempts in the thread backend. More quick ones are claimed once half of them have finished.
_MOST_IN_LANE = 64
_MOST_KNOWN = 64


class Executor:
    """Runs attempts in runners or, for functions with `isolation="thread"`, in threads.

    Args:
        loop: The worker's event loop.
        fork_server: Forks the runner processes of Penstock's own environment.
        provision: Builds environments for the others; None refuses them.
        size: Most runners, and most threads.
        limits: Size limits on the output and the result of an attempt.
        load_timeout_s: How long a runner may take to load a bundle.
        on_room: Called when `capacity` may have grown.
        most_attempts: A runner is replaced after this many attempts.
    """

    def __init__(
        self,
        loop: Loop,
        fork_server: ForkServer,
        *,
        provision: Provision | None = None,
        size: int,
        limits: RunnerLimits,
        load_timeout_s: float = LOAD_TIMEOUT_S,
        on_room: Callable[[], object] = lambda: None,
        most_attempts: int = MOST_ATTEMPTS,
    ) -> None:
        self._limits = limits
        self._on_capacity = on_room
        self._size = size
        self._times = RunTimes()
        self.environments = Environments(loop, provision, fork_server, on_ready=on_room)
        self.pool = RunnerPool(
            loop,
            partial(
                Runner,
                loop=loop,
                server_of=self.environments.server_of,
                limits=limits,
                load_timeout_s=load_timeout_s,
            ),
            size=size,
            times=self._times,
            on_room=on_room,
            most_attempts=most_attempts,
        )
        self._thread_backend = ThreadBackend(
            size,
            post=loop.call_soon_threadsafe,
            call_later=loop.call_later,
            on_ended=self._thread_ended,
            run_times=self._times,
        )
        self._in_threads: set[Run] = set()
        # Name → version of functions lately run in threads; only they get `rooms` there.
        self._thread_functions: dict[str, str] = {}

    def run(self, run: Run) -> None:
        """Start an attempt; `run.listener` gets `on_ended` or `on_returned`."""
        if run.is_cancelled:
            run.end(CANCELLED)
            return
        if not self.environments.has(run.bundle, run.assignment.function):
            run.requeue()  # to a worker that has what it needs, or to this one when it has
            return
        if run.manifest.options.isolation != "thread":
            self.pool.run(run)
            return
        one = run.assignment
        if (
            one.function not in self._thread_functions
            and len(self._thread_functions) >= _MOST_KNOWN
        ):
            self._thread_functions.clear()
        self._thread_functions[one.function] = one.version
        lane_run = ThreadRun(
            assignment=one,
            manifest=run.manifest,
            bundle=run.bundle,
            limits=self._limits,
            on_note=partial(run.listener.on_note, run),
            attempt=run,
        )
        run.where = lane_run
        self._in_threads.add(run)
        self._thread_backend.submit(lane_run)

    def cancel(self, run: Run, *, by_caller: bool = False) -> None:
        """Finish an attempt with the ending "cancelled", unless it has finished already.

        A function in a thread is interrupted; with `by_caller` only `ctx.cancelled` becomes true.
        """
        if run.where is None:
            return
        run.is_cancelled = True
        if isinstance(run.where, ThreadRun):
            self._thread_backend.cancel(run.where, by_caller=by_caller)
        else:
            self.pool.stop_run(run, CANCELLED)

    def capacity(self) -> tuple[int, dict[str, int]]:
        """Return how many more attempts can be run of any function, and further ones of some."""
        capacity, rooms = self.pool.capacity(), self.pool.rooms()
        if self._thread_functions:
            count = self._thread_backend.count()
            is_full = count >= _MOST_IN_LANE
            assigned = [run.assignment for run in self._in_threads]
            slow = sum(not self._is_quick(one.function, one.version) for one in assigned)
            capacity = 0 if is_full else min(capacity, max(0, self._size - slow))
            if count * 2 <= _MOST_IN_LANE:
                for name, version in self._thread_functions.items():
                    if self._is_quick(name, version):
                        rooms[name] = _MOST_IN_LANE - count
        for name in self.environments.lacking():
            rooms[name] = 0
        return capacity, rooms

    def leave_environment(self, key: str) -> None:
        """End the runners of an environment that run nothing: it is about to be removed."""
        versions = self.environments.versions_in(key)
        for runner in self.pool.runners:
            if runner.state == "idle" and runner.key.version in versions:
                runner.kill()

    def return_unstarted(self) -> None:
        """Collect finished attempts, requeue those that have not started, and start no more."""
        self.pool.return_unstarted()
        self._thread_backend.collect()
        for run in list(self._in_threads):
            if isinstance(run.where, ThreadRun) and self._thread_backend.take_back(run.where):
                self._in_threads.discard(run)
                run.requeue()

    def stop(self) -> None:
        """Kill all runners and stop the threads; calling it twice is safe."""
        self.pool.kill_all()
        self._thread_backend.stop()

    def _is_quick(self, function: str, version: str) -> bool:
        mean_s = self._times.mean_s(function, version)
        return mean_s is not None and mean_s < QUICK_S

    def _thread_ended(self, lane_runs: Sequence[ThreadRun]) -> None:
        for lane_run in lane_runs:
            run = lane_run.attempt
            assert isinstance(run, Run)  # noqa: S101 - for the type checker
            self._in_threads.discard(run)
            run.ran_s = lane_run.ran_s
            run.output = lane_run.output
            run.end(lane_run.ending, lane_run.result)
        self._on_capacity()
