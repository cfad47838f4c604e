"""One runner process and the attempts in flight at it.

                      take             close            empty
    starting ──► idle ◄────► running ◄────────► closed ────────► dying ──► dead
        │         │    rest     │      reopen     │                ▲
        └─────────┴─────────────┴─────────────────┴────────────────┘  killed, or channel closed
    starting ──► dead                                                 no process could be made

starting: the process is being forked and loads the bundle; attempts may be waiting already.
running:  has attempts, all of one function, run one after the other (`SequentialRunner`) or at the
          same time (`ConcurrentRunner`).
closed:   accepts no more attempts; killed when empty.
dying:    frames are no longer accepted, or the kill is under way. Only when the process is dead is
          it known which attempt caused that; all others return to the queue.

Only the loop thread reads and writes a `Runner`. What the process sends is not trusted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, Protocol

from runtime.errors import ChannelGarbledError
from runtime.execution import runner_protocol as frames
from runtime.execution.call_function import too_large
from runtime.execution.concurrent_runner import ConcurrentRunner
from runtime.execution.loading import Loading
from runtime.execution.outcome import Ending, ending_of_death
from runtime.execution.run import Run
from runtime.execution.runner_handle import RunnerKey, RunOwner
from runtime.execution.runner_process import RunnerProcess
from runtime.execution.runner_protocol import RunnerLimits
from runtime.execution.sequential_runner import SequentialRunner
from runtime.execution.time_limits import LimitWatch, TimeLimited
from runtime.execution.worker_codec import (
    check_answer,
    check_event,
    decode_ending,
    encode,
    number_of,
)
from runtime.loop import Loop
from runtime.processes.child_control import Exit
from runtime.processes.fork_server import ForkServer
from runtime.processes.frames import pack
from runtime.registry.bundle import Bundle

State = Literal["starting", "idle", "running", "closed", "dying", "dead"]


class RunnerOwner(RunOwner, Protocol):
    """Is notified of the state of runners, too."""

    def on_room(self, runner: Runner) -> None:
        """The runner may accept more attempts."""

    def on_ran(self, runner: Runner, run: Run, *, left: str) -> None:
        """An attempt was answered after `run.ran_s`; `left` names what it left running."""

    def on_dead(self, runner: Runner) -> None:
        """The process is gone, or could not be made; the runner's slot is free."""


class Runner:
    """One runner.

    Attributes:
        key: The version and memory limit it is for.
        owner: Gives it attempts, and takes back those that have not started.
        state: See the module docstring.
        function: The function whose attempts it runs; "" while idle.
        runs: The attempts sent to the process and not answered, by serial, in sending order.
        attempts: How many attempts it was given since it was made.
        last_used: When it was last given an attempt or became idle, by the monotonic clock.
        last_answer_at: When it last answered; at first, when it was made or connected.
        has_heir: Its replacement has been made already.
        is_missed: A replacement is to be made when it is gone.
        watch: The timer of its time limits.
        yields_since: When it was closed for other functions; None if it was not, or cannot reopen.
        doomed: The endings of attempts for which the process is being killed, by serial.
    """

    def __init__(
        self,
        key: RunnerKey,
        bundle: Bundle,
        owner: RunnerOwner,
        *,
        loop: Loop,
        server_of: Callable[[Bundle], ForkServer],
        limits: RunnerLimits,
        load_timeout_s: float,
    ) -> None:
        self.key = key
        self.loop = loop
        self.owner = owner
        self.state: State = "starting"
        self.function = ""
        self.runs: dict[int, Run] = {}
        self.attempts = 0
        self.last_used = self.last_answer_at = time.monotonic()
        self.doomed: dict[int, Ending] = {}
        self.has_heir = self.is_missed = False
        self.yields_since: float | None = None
        self.bundle = bundle
        self._limits = limits
        self._loading = Loading(self, load_timeout_s)
        self._mode: SequentialRunner | ConcurrentRunner = SequentialRunner(self)
        self._why_silent: Exception | None = None
        self.process = RunnerProcess(loop, partial(server_of, bundle), key.memory_bytes, self)
        self.watch = LimitWatch(loop, self._phase, self.process.look_at_all)
        self.process.spawn()

    @property
    def held(self) -> int:
        """How many attempts are here, sent or waiting for the bundle to load."""
        return len(self.runs) + len(self._loading.runs)

    @property
    def is_shared(self) -> bool:
        """Whether it is running attempts at the same time, and may get more."""
        return self.state == "running" and isinstance(self._mode, ConcurrentRunner)

    @property
    def is_open(self) -> bool:
        """Whether attempts may be in flight here."""
        return self.state in {"running", "closed"}

    def _phase(self) -> TimeLimited | None:
        """Return the object whose time limits apply now, for `watch`."""
        if self.state in {"dying", "dead"}:
            return None
        return self._loading if self.state == "starting" else self._mode

    @property
    def window(self) -> int:
        """How many attempts may be in flight here."""
        return self._mode.window

    def room(self) -> int:
        """Return how many more attempts of its function it takes now."""
        if self.state == "starting":
            return max(0, self._mode.window - len(self._loading.runs))
        return self._mode.room() if self.state in {"idle", "running"} else 0

    def take(self, runs: Sequence[Run], *, window: int) -> None:
        """Run attempts of one function, at most `room()` of them; if idle, of any function."""
        self.attempts += len(runs)
        if not self.held:
            self.function = runs[0].assignment.function
            mode = ConcurrentRunner if runs[0].manifest.window > 1 else SequentialRunner
            if type(self._mode) is not mode:
                self._mode = mode(self)
        self._mode.window = window
        for run in runs:
            run.where = self
        if self.state == "starting":
            # `_loaded` sends them, in this order.
            self._loading.runs.extend(runs)
        else:
            self.state = "running"
            self._mode.send(runs)
            self.watch.renew()

    def make_way(self) -> None:
        """Close, because other functions wait; `reopen` undoes it."""
        self.close()
        # `close` has killed an empty runner already; only one that has attempts can reopen.
        self.yields_since = time.monotonic() if self.state == "closed" else None

    def reopen(self) -> None:
        """Accept attempts again, if it was closed for other functions and is not empty yet."""
        if self.state == "closed" and self.yields_since is not None:
            self.state, self.yields_since = "running", None
            self.report_capacity()

    def close(self) -> None:
        """Accept no more attempts; kill the process when none is left."""
        self.yields_since = None
        if self.state != "starting" and self.state not in {"dying", "dead"}:
            self.state = "closed"
            self.rest()

    def stop(self, run: Run, ending: Ending) -> None:
        """Finish one attempt and no other: now, or when the process is dead."""
        if run in self._loading.runs:
            self._loading.runs.remove(run)
            run.end(ending)
        elif run.serial in self.runs and self.state != "dying":
            self._mode.stop(run, ending)

    def recall(self) -> None:
        """Withdraw the attempts that have not started, for other runners."""
        self.owner.requeue([*self._mode.take_back(), *self._loading.take()])
        self.rest()

    def kill(self) -> None:
        """Kill the process; attempts that did not cause this return to the queue afterwards."""
        if self.state not in {"dying", "dead"}:
            self.state = "dying"
            # From here until `on_dead`, answers that the process had already sent still count.
            self.process.kill()

    def rest(self) -> None:
        """If no attempt is left: become idle, or kill the process if closed."""
        if self.held or self.state in {"starting", "dying", "dead"}:
            return
        self.last_used = time.monotonic()
        if self.state == "closed":
            self.kill()
        else:
            self.state = "idle"
            self.function = ""

    def report_capacity(self) -> None:
        """Report that this runner may accept more attempts."""
        self.owner.on_room(self)

    def on_connected(self) -> None:
        """Send the bundle; the process answers when it has loaded."""
        self.process.send(pack(frames.LOAD, encode(self._limits), self.bundle.encode()))
        self.last_answer_at = time.monotonic()
        self.watch.renew()

    def on_refused(self, error: Exception) -> None:
        """Fail: no process could be made, and another try may fail too."""
        self.state = "dead"
        try:
            for run in self._loading.refused(error):
                # One attempt has ended, so a system without processes cannot retry for ever.
                run.requeue()
        finally:
            self.owner.on_dead(self)

    def on_frame(self, frame: list[bytes]) -> None:
        """Handle one frame of the process; raises ChannelGarbledError."""
        kind = frame[0] if frame else b""
        if len(frame) != frames.PARTS.get(kind):
            raise ChannelGarbledError(f"an unknown frame, or one with missing parts: {kind[:20]!r}")
        if kind == frames.DONE:
            self.last_answer_at = time.monotonic()
            serial = number_of(frame[1])
            if serial == frames.LOADING:
                self._loaded(decode_ending(frame[2]))
            else:
                self._answered(serial, frame)
        elif kind == frames.FULL:
            ending = decode_ending(frame[1])
            check_answer(ending, b"")
            if self.state == "starting":
                self._loading.fail(ending)
            else:
                self._mode.fill(ending)
        else:
            self._noted(kind.decode(), frame)

    def on_silent(self, error: Exception | None) -> None:
        """Nothing more will be received: reassign what has certainly not started."""
        self.watch.end()
        self._why_silent = error
        self.state = "dying"
        # Now and not at the death: other runners need not wait for the process to exit.
        self.owner.requeue(self._mode.fall_silent(error))

    def on_dead(self, ended: Exit | None) -> None:
        """Finish the attempts that caused the death; all others return to the queue."""
        # Cleared first: ending an attempt calls its listener, which may ask this runner for room.
        self.state = "dead"
        runs, self.runs = self.runs, {}
        try:
            self.owner.requeue(self._loading.died(ended, self._why_silent))
            death = ending_of_death(ended, self._why_silent, "while the function ran")
            for run, ending in self._mode.endings(runs, death):
                if ending is None:
                    run.requeue()
                else:
                    run.end(ending)
        finally:
            self.owner.on_dead(self)

    def _loaded(self, ending: Ending) -> None:
        if self.state == "dying" and self._loading.failure is not None:
            return  # too late: the process is being killed because loading failed
        if self.state != "starting":
            raise ChannelGarbledError("a load was reported that was not requested")
        waiting = self._loading.take()
        if ending.kind != "succeeded":
            for run in waiting:
                run.end(ending)
            self.state = "closed"
            self.kill()
            return
        self.state, self.function = "idle", ""
        if waiting:
            self.attempts -= len(waiting)
            self.take(waiting, window=self._mode.window)
        self.report_capacity()

    def _answered(self, serial: int, frame: list[bytes]) -> None:
        run = self.runs.get(serial)
        if run is None:
            raise ChannelGarbledError("an answer with an unknown serial")
        # All checks come before the attempt leaves `runs`: if one fails, `on_dead` finishes it.
        said, result = decode_ending(frame[2]), frame[3]
        ending = self._mode.decide(run, said)
        if ending is said:
            check_answer(ending, result)
        if serial in self.doomed:  # too late: the process is being killed because of it
            return
        ran_s = number_of(frame[4]) / 1e6
        del self.runs[serial]
        run.ran_s = min(max(ran_s, 0.0), self.last_answer_at - run.sent_at)
        self._mode.answered(run)
        if len(result) > self._limits.max_result_bytes:
            ending, result = too_large(len(result), self._limits.max_result_bytes), b""
        is_harmed = said.left or (ending is said and said.kind not in frames.HARMLESS)
        # Before anything that may need a thread, or raise: the result must not be lost.
        run.end(ending, result)
        if is_harmed:
            self._mode.invalidate()
        self.owner.on_ran(self, run, left=said.left)
        self.rest()
        self.report_capacity()

    def _noted(self, kind: str, frame: list[bytes]) -> None:
        serial = number_of(frame[1])
        run = self.runs.get(serial)
        # What the file prints while it loads belongs to the attempt that caused the load.
        if serial == frames.LOADING and self._loading.runs:
            run = self._loading.runs[0]
        if run is None:  # sent by a thread of an attempt that has finished
            return
        check_event(kind, frame[2])
        run.send(kind, frame[2], self._limits)
        # Back-pressure: until the events are written, the process fills its buffers and waits.
        if kind == "event" and run.listener.is_full(run):
            self.process.pause(partial(run.listener.is_full, run))
