"""Run one attempt, from assignment to outcome, as one pipeline of named steps.

    acquire a runner → load → begin → await the ending until the deadline → judge

Called at once from the worker's threads, one attempt each. Whatever user code does
ends in an Outcome. isolation="thread" takes `runtime.execution.thread_lane` instead.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from runtime.errors import ChannelClosedError, ChannelGarbledError, ChannelResetError, ProcessError
from runtime.execution.ending import Ending
from runtime.execution.outcome import Assignment, Outcome
from runtime.execution.performance import too_large
from runtime.execution.runner import Ears, Logs, OnNote, OnWait, Runner, RunnerKey
from runtime.execution.runner_frames import Limits, Start
from runtime.execution.runner_pool import RunnerPool
from runtime.execution.running import Running, RunningAttempts
from runtime.execution.thread_lane import ThreadLane
from runtime.execution.verdict import judge
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest

LOAD_TIMEOUT_S = 10.0
_FRESH_RUNNERS_TRIED = 2
# After these the runner is as good as before; after all others it is killed.
_HARMLESS = frozenset(
    {
        "succeeded",
        "retry",
        "rejected",
        "exception",
        "result_not_serializable",
        "result_too_large",
    }
)
Told = tuple[Ending, bytes]


def _ignore(kind: str, payload: bytes) -> None:
    del kind, payload


def _never() -> bool:
    return False


def _nothing() -> None:
    pass


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
        self._load_timeout_s = load_timeout_s
        self._running = RunningAttempts()
        self._serials = itertools.count(1)

    def run(
        self,
        assignment: Assignment,
        manifest: Manifest,
        bundle: Bundle,
        *,
        on_note: OnNote = _ignore,
        is_cancelled: Callable[[], bool] = _never,
        on_wait: OnWait = _nothing,
    ) -> Outcome:
        """Run one attempt to its end; never raises for what user code does.

        Args:
            assignment: The attempt.
            manifest: Of the function.
            bundle: Its source.
            on_note: Called with what the function tells while it runs, in order:
                ("log" | "progress" | "item" | "event", payload).
            is_cancelled: Whether a caller cancelled it before `cancel` could find it.
            on_wait: Called before the thread waits, or begins what may take long.
        """
        logs = Logs(self._limits.max_log_bytes)
        running = self._running.enter(assignment.id)
        begun_at = time.monotonic()
        if is_cancelled():
            running.cancel()
        try:
            if manifest.options.isolation == "thread":
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
                ears = Ears(logs, _bounded(on_note, self._limits.max_result_bytes), on_wait)
                ending, result = self._run_in_runner(assignment, manifest, bundle, running, ears)
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
            duration_ms=round((time.monotonic() - begun_at) * 1000),
        )

    def cancel(self, invocation_id: str, *, by_caller: bool = False) -> bool:
        """Kill what runs of an invocation, so that `run` returns "cancelled".

        False when nothing of it runs here. A function in a thread is interrupted; with
        `by_caller` it only sees that it is cancelled.
        """
        return self._running.cancel(invocation_id, by_caller=by_caller)

    def stop(self) -> None:
        """Kill all runners; twice is safe."""
        self._runners.stop()
        self._lane.stop()

    def _run_in_runner(
        self,
        assignment: Assignment,
        manifest: Manifest,
        bundle: Bundle,
        running: Running,
        ears: Ears,
    ) -> Told:
        key = RunnerKey(bundle.file, bundle.version, manifest.options.memory_bytes)
        for _ in range(self._runners.size + _FRESH_RUNNERS_TRIED):  # all warm ones may be dead
            try:
                runner = self._runners.acquire(key, on_wait=ears.on_wait)
            except ProcessError as error:
                return Ending(kind="lost", message=f"no runner: {error}"), b""
            told: Told | None = None
            try:
                if not running.attach(runner.kill):
                    return Ending(kind="cancelled"), b""
                told = self._load(runner, bundle, ears) or self._attempt(
                    runner, assignment, manifest, ears
                )
            finally:
                is_harmed = running.detach() or told is None or told[0].kind not in _HARMLESS
                if is_harmed or not runner.is_loaded:
                    ears.on_wait()
                    self._runners.discard(runner)
                else:
                    self._runners.release(runner)
            if told is not None:
                return told
        return Ending(kind="lost", message="runners end before they begin the attempt"), b""

    def _load(self, runner: Runner, bundle: Bundle, ears: Ears) -> Told | None:
        """Return None when the runner is ready, else how the attempt ends without beginning."""
        if runner.is_loaded:
            return None
        ears.on_wait()
        try:
            ending = runner.load(
                bundle.encode(), self._limits, timeout_s=self._load_timeout_s, ears=ears
            )
        except TimeoutError:
            text = f"{bundle.file} was not loaded within {self._load_timeout_s:g} s"
            return Ending(kind="timeout", message=text), b""
        except ChannelClosedError as error:
            return _death_of(runner, error, "while its file was loaded"), b""
        return None if ending.kind == "succeeded" else (ending, b"")

    def _attempt(
        self, runner: Runner, assignment: Assignment, manifest: Manifest, ears: Ears
    ) -> Told | None:
        """Return how the attempt ended, None when it certainly has not begun."""
        timeout_s = manifest.options.timeout_s
        start = Start(
            serial=next(self._serials),
            id=assignment.id,
            function=assignment.function,
            attempt=assignment.attempt,
            timeout_s=timeout_s,
            traceparent=assignment.traceparent,
            tracestate=assignment.tracestate,
            has_request=assignment.request is not None,
        )
        deadline = time.monotonic() + timeout_s
        try:
            runner.begin(start, assignment.arguments, assignment.request)
            ending, result = runner.await_ending(deadline, ears)
        except TimeoutError:
            return Ending(kind="timeout", message=f"ran longer than {timeout_s:g} s"), b""
        except ChannelResetError:
            return None
        except ChannelClosedError as error:
            ears.on_wait()
            return _death_of(runner, error, "while the function ran"), b""
        if len(result) > self._limits.max_result_bytes:
            return too_large(len(result), self._limits.max_result_bytes), b""
        return ending, result


def _death_of(runner: Runner, error: ChannelClosedError, when: str) -> Ending:
    ended = None if isinstance(error, ChannelGarbledError) else runner.how_it_ended()
    if ended is None:
        return Ending(kind="lost", message=f"the runner broke its channel {when}: {error}")
    if ended.code is None:
        return Ending(kind="lost", message=f"the runner died by signal {ended.signal} {when}")
    return Ending(kind="exited", message=f"the process exited with code {ended.code} {when}")


def _bounded(on_note: OnNote, most_item_bytes: int) -> OnNote:
    """Pass notes on, but no more items than an honest runner sends."""
    left = most_item_bytes

    def pass_on(kind: str, payload: bytes) -> None:
        nonlocal left
        if kind == "item":
            left -= len(payload)
            if left < 0:
                raise ChannelGarbledError("more items than a result holds")
        on_note(kind, payload)

    return pass_on
