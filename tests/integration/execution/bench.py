"""An executor on a real loop with real runners, driven by a test from other threads."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from runtime.execution.assignment import Assignment, Outcome
from runtime.execution.executor import Executor
from runtime.execution.load_view import RunnerLoad
from runtime.execution.retry_decision import decide_outcome
from runtime.execution.run import Run
from runtime.execution.runner import Runner
from runtime.execution.runner_pool import MOST_ATTEMPTS
from runtime.execution.thread_run import ThreadRun
from runtime.loop import Loop
from runtime.processes.fork_server import ForkServer
from tests.integration.execution.written import LIMITS, Written
from tests.support.loop_thread import LoopThread
from tests.support.waiting import allowed, eventually


class Attempt:
    """One attempt that a bench runs.

    Attributes:
        run: As the executor has it; another one each time that it was given back.
        told: What it has told, in order: (kind, payload).
        returned: How often it was given back.
        at_s: When it ended, by the monotonic clock.
        outcome: How; None before, and where it was given back for good.
    """

    def __init__(self, written: Written, assignment: Assignment) -> None:
        self.written = written
        self.assignment = assignment
        self.run: Run | None = None
        self.reported: list[tuple[str, bytes]] = []
        self.returned = 0
        self.at_s = 0.0
        self.outcome: Outcome | None = None
        self.is_over = threading.Event()

    @property
    def kind(self) -> str:
        """The status, or the type of its error."""
        assert self.run is not None
        ending = self.run.ending
        return "running" if ending is None else ending.kind

    def wait(self, within_s: float = 30.0) -> Outcome:
        """Return how it ended."""
        assert self.is_over.wait(allowed(within_s)), f"{self.assignment.id} has not ended"
        assert self.outcome is not None, f"{self.assignment.id} was given back"
        return self.outcome


class Bench:
    """Runs functions through a real executor and keeps what they told meanwhile.

    Attributes:
        frames: All that was told: (id, kind, payload).
        gives_again: Whether what is given back is run again, as workers do.
    """

    def __init__(
        self,
        fork_server: ForkServer,
        size: int = 2,
        *,
        load_timeout_s: float = 5.0,
        most_attempts: int = MOST_ATTEMPTS,
    ) -> None:
        self.frames: list[tuple[str, str, bytes]] = []
        self.full: set[object] = set()  # attempts that tell too fast
        self.gives_again = True
        self._is_stopped = False
        self._known: dict[str, Attempt] = {}
        self._thread = LoopThread(Loop())
        self._thread.start()
        self.do = self._thread.do
        self.executor = Executor(
            self._thread.loop,
            fork_server,
            size=size,
            limits=LIMITS,
            load_timeout_s=load_timeout_s,
            most_attempts=most_attempts,
        )
        self.pool = self.executor.pool

    def run(self, written: Written, arguments: bytes = b"{}", **changes: object) -> Outcome:
        """Run one attempt to its end."""
        return self.submit(written, arguments, **changes).wait()

    def submit(
        self,
        written: Written,
        arguments: bytes = b"{}",
        *,
        is_cancelled: bool = False,
        **changes: object,
    ) -> Attempt:
        """Have one attempt run."""
        [attempt] = self._make(written, [arguments], **changes)
        self.do(lambda: self._begin([attempt], is_cancelled=is_cancelled))
        return attempt

    def submit_all(
        self,
        written: Written,
        arguments: Iterable[bytes],
        *,
        first: Callable[[], object] = lambda: None,
        then: Callable[[], object] = lambda: None,
    ) -> list[Attempt]:
        """Have attempts "0", "1", … run in one turn, which `first` begins and `then` ends."""
        attempts = self._make(written, arguments)

        def begin() -> None:
            first()
            self._begin(attempts)
            self._thread.loop.call_soon(then)  # behind what gives them to runners

        self.do(begin)
        return attempts

    def cancel(self, which: str | Attempt, *, by_caller: bool = False) -> bool:
        """Cancel an attempt; return whether that was under way."""

        def cancel() -> bool:
            attempt = self._known.get(which) if isinstance(which, str) else which
            if attempt is None or attempt.run is None or attempt.is_over.is_set():
                return False
            self.executor.cancel(attempt.run, by_caller=by_caller)
            return True

        return self.do(cancel)

    def pids(self) -> list[int]:
        """Return the processes of all runners."""
        return sorted(one.pid for one in self.view())

    def view(self) -> list[RunnerLoad]:
        """Return what is shown of all runners."""
        return self.do(self.pool.view)

    def runners(self) -> list[Runner]:
        """Return all runners."""
        return self.do(self.runners_here)

    def runners_here(self) -> list[Runner]:
        """Return all runners, to the loop's thread."""
        return list(self.pool.runners)

    def stop(self) -> None:
        """Kill all runners, and stop the loop; twice is safe."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self.gives_again = False
        self.do(self.executor.stop)
        eventually(lambda: not self.runners())
        self._thread.stop()

    def is_full(self, run: Run) -> bool:
        """See `runtime.execution.run.Listener`."""
        return run.owner in self.full

    def on_note(self, run: Run, kind: str, payload: bytes) -> None:
        """See `runtime.execution.run.Listener`."""
        attempt = _attempt_of(run)
        attempt.reported.append((kind, payload))
        self.frames.append((attempt.assignment.id, kind, payload))

    def on_ended(self, run: Run) -> None:
        """See `runtime.execution.run.Listener`."""
        attempt = _attempt_of(run)
        assert attempt.run is run, "it has ended twice, or after it was given back"
        assert not attempt.is_over.is_set()
        attempt.at_s = time.monotonic()
        attempt.outcome = outcome_of(run)
        attempt.is_over.set()

    def on_returned(self, run: Run) -> None:
        """See `runtime.execution.run.Listener`."""
        attempt = _attempt_of(run)
        assert attempt.run is run
        attempt.returned += 1
        attempt.at_s = time.monotonic()
        if self.gives_again:
            self._thread.loop.call_soon(lambda: self._begin([attempt]))
        else:
            attempt.is_over.set()

    def _make(
        self, written: Written, arguments: Iterable[bytes], **changes: object
    ) -> list[Attempt]:
        version, name = written.bundle.version, written.manifest.name
        many = list(arguments)
        ids = ["i1"] if len(many) == 1 else map(str, range(len(many)))
        made = [
            Assignment(id=number, function=name, version=version, attempt=1, arguments=data)
            for number, data in zip(ids, many, strict=True)
        ]
        return [Attempt(written, replace(one, **changes)) for one in made]

    def _begin(self, attempts: Sequence[Attempt], *, is_cancelled: bool = False) -> None:
        for attempt in attempts:
            written = attempt.written
            attempt.run = run = Run(
                attempt.assignment,
                written.manifest,
                written.bundle,
                self,
                owner=attempt,
                created_at=time.monotonic(),
            )
            run.is_cancelled = is_cancelled
            self._known[attempt.assignment.id] = attempt
            self.executor.run(run)


def kinds(attempts: Iterable[Attempt]) -> list[str]:
    """Return how each has ended: its status, or the type of its error."""
    return [attempt.kind for attempt in attempts]


def error_of(outcome: Outcome) -> dict[str, Any]:
    """Return the error of an attempt that has failed."""
    assert outcome.status == "failed", outcome
    error: dict[str, Any] = json.loads(outcome.error)
    return error


def outcome_of(run: Run | ThreadRun) -> Outcome:
    """Return how an attempt has ended, as a worker decides it."""
    assert run.ending is not None
    return decide_outcome(
        run.ending,
        run.result,
        policy=run.manifest.options.retry,
        attempt=run.assignment.attempt,
        roll=0.5,
        logs=logs_of(run),
        duration_ms=round(run.ran_s * 1000),
    )


def logs_of(run: Run | ThreadRun) -> bytes:
    """Return the output that was kept of an attempt."""
    if isinstance(run, Run):
        return run.logs
    return b"" if run.output is None else run.output.text()


def _attempt_of(run: Run) -> Attempt:
    assert isinstance(run.owner, Attempt)
    return run.owner
