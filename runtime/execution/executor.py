"""Run one attempt, from assignment to outcome.

    enter, so that it can be cancelled → run in one of the two lanes → judge its ending

Called at once from the worker's threads, one attempt each. Whatever user code does
ends in an Outcome. isolation="process" takes `runtime.execution.runner_lane`,
isolation="thread" `runtime.execution.thread_lane`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from runtime.execution.ears import Ears, Logs, OnNote, OnWait, bounded
from runtime.execution.outcome import Assignment, Outcome
from runtime.execution.runner_frames import Limits
from runtime.execution.runner_lane import NextUp, RunnerLane, Turn
from runtime.execution.runner_pool import RunnerPool
from runtime.execution.running import RunningAttempts
from runtime.execution.thread_lane import ThreadLane
from runtime.execution.verdict import judge
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest

LOAD_TIMEOUT_S = 10.0


def _ignore(kind: str, payload: bytes) -> None:
    del kind, payload


def _never() -> bool:
    return False


def _nothing() -> None:
    pass


def _nobody(most: int) -> Sequence[Assignment]:
    del most
    return ()


class Executor:
    """Runs attempts in runners or, where a function asks for it, in the calling thread.

    Args:
        runners: Where runners come from.
        lane: Runs the functions with isolation="thread".
        max_result_bytes: Longest result kept.
        max_log_bytes: Most output kept of one attempt.
        roll: A random number in [0, 1), for the jitter of retries.
        load_timeout_s: How long a runner may take to load a bundle.
    """

    def __init__(
        self,
        *,
        runners: RunnerPool,
        lane: ThreadLane,
        max_result_bytes: int,
        max_log_bytes: int,
        roll: Callable[[], float],
        load_timeout_s: float = LOAD_TIMEOUT_S,
    ) -> None:
        self._runners = runners
        self._lane = lane
        self._limits = Limits(max_result_bytes=max_result_bytes, max_log_bytes=max_log_bytes)
        self._roll = roll
        self._running = RunningAttempts()
        self._runner_lane = RunnerLane(
            runners, self._running, limits=self._limits, load_timeout_s=load_timeout_s
        )

    def run(
        self,
        assignment: Assignment,
        manifest: Manifest,
        bundle: Bundle,
        *,
        on_note: OnNote = _ignore,
        is_cancelled: Callable[[], bool] = _never,
        on_wait: OnWait = _nothing,
        next_up: NextUp = _nobody,
    ) -> Outcome:
        """Run one attempt to its end; never raises for what user code does.

        Args:
            assignment: The attempt.
            manifest: Of the function.
            bundle: Its source.
            on_note: Called with what the function tells while it runs, in order:
                ("log" | "progress" | "item" | "event", payload).
            is_cancelled: Whether a caller cancelled it before `cancel` could find it.
            on_wait: Called before the thread waits, or begins what may take long. Nothing that
                this thread was to run next is with a runner then.
            next_up: Returns at most so many attempts that this thread will run next, in this
                order. Some may be sent to the runner behind this one; `run` must be called for
                them all the same, or `let_go`.
        """
        logs = Logs(self._limits.max_log_bytes)
        running, sent = self._runner_lane.enter(assignment)
        begun_at = time.monotonic()
        ran_s: float | None = None
        if is_cancelled():
            running.cancel()
        try:
            if manifest.options.isolation == "thread":
                self._runner_lane.let_go()
                on_wait()
                ending, result = self._lane.run(
                    assignment,
                    manifest,
                    bundle,
                    running=running,
                    limits=self._limits,
                    logs=logs,
                    on_note=on_note,
                )
            else:
                ears = Ears(logs, bounded(on_note, self._limits.max_result_bytes), on_wait)
                ending, result, ran_s = self._runner_lane.run(
                    Turn(assignment, manifest, bundle, running, ears, next_up, sent)
                )
            ending = running.finish(ending)
        finally:
            self._running.leave(running)
        return judge(
            ending,
            result,
            policy=manifest.options.retry,
            attempt=assignment.attempt,
            roll=self._roll(),
            logs=logs.text(),
            duration_ms=round((time.monotonic() - begun_at if ran_s is None else ran_s) * 1000),
        )

    def cancel(self, invocation_id: str, *, by_caller: bool = False) -> bool:
        """Kill what runs of an invocation, so that `run` returns "cancelled".

        False when nothing of it runs here. A function in a thread is interrupted; with
        `by_caller` it only sees that it is cancelled.
        """
        return self._running.cancel(invocation_id, by_caller=by_caller)

    def let_go(self) -> tuple[str, ...]:
        """Take back what this thread's runner has not begun, and give back one that is idle.

        Called by a thread that finds nothing more to run, or is about to wait outside of `run`.

        Returns:
            The invocations that nobody but this thread may `run`: an attempt of theirs has
            begun, or is over and its ending lies here. All others of `next_up` are free.
        """
        return self._runner_lane.let_go()

    def stop(self) -> None:
        """Kill all runners; twice is safe."""
        self._runners.stop()
        self._lane.stop()
