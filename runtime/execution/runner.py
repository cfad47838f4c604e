"""A runner and the attempts that lie with it.

    starting ──loaded──► idle ◄──► running ──► closed ──► dying ──► dead
        └───────── cannot load, killed, or died ───────────┘

starting: its process is made and loads the bundle; attempts may lie here already.
running:  it has attempts, all of one function: one after the other (`runtime.execution.sequential`)
          or at the same time (`runtime.execution.concurrent`).
closed:   it gets nothing more, and goes when it is empty.
dying:    nothing more is heard of it; when it is dead it is known who is to blame.

The loop's thread writes all of this. What a runner says is not trusted.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Literal, Protocol

from runtime.errors import ChannelGarbledError
from runtime.execution import runner_protocol as frames
from runtime.execution.call_function import too_large
from runtime.execution.concurrent import ConcurrentRunner
from runtime.execution.limit_watch import LimitWatch, TimeLimited
from runtime.execution.loading import Loading
from runtime.execution.outcome import Ending, ending_of_death
from runtime.execution.run import Run
from runtime.execution.runner_handle import RunnerKey
from runtime.execution.runner_process import RunnerProcess
from runtime.execution.runner_protocol import RunnerLimits
from runtime.execution.runner_validation import check_answer, check_event
from runtime.execution.sequential import SequentialRunner
from runtime.loop import Loop
from runtime.processes.channel import pack
from runtime.processes.child_control import Exit
from runtime.processes.fork_server import ForkServer
from runtime.registry.bundle import Bundle

State = Literal["starting", "idle", "running", "closed", "dying", "dead"]


class RunnerOwner(Protocol):
    """Who gives attempts to runners, and hears what becomes of both."""

    def on_room(self, runner: Runner) -> None:
        """It can take attempts, or more of them."""

    def on_ran(self, runner: Runner, run: Run, *, left: str) -> None:
        """An attempt has ended by itself, after `run.ran_s`; `left` says what it has left."""

    def on_slow(self, run: Run) -> None:
        """It was thought quick and is not."""

    def on_dead(self, runner: Runner) -> None:
        """Its process is gone, or was never there."""

    def is_to_count(self, run: Run) -> bool:
        """Whether it counts as lost that its runner died while nobody was executing."""

    def requeue(self, runs: Sequence[Run]) -> None:
        """These have not begun: others may have them."""


class Runner:
    """One runner.

    Attributes:
        key: What it is for.
        state: See above.
        function: Whose attempts it runs; "" while it is idle.
        runs: What lies with its process, by serial, in the order of sending.
        attempts: How many it was ever given.
        last_used: When it was last given any or became idle, by the monotonic clock.
        heard_at: When it last answered.
        has_heir: The next one in its place is made already.
        is_missed: One is to be made when it is gone.
        watch: Looks when a limit of time may have passed.
        yields_since: When it was closed for others; None where it was not, or for good.
        doomed: What attempts end as, when the process has been killed for them.
    """

    def __init__(
        self,
        key: RunnerKey,
        bundle: Bundle,
        owner: RunnerOwner,
        *,
        loop: Loop,
        fork_server: ForkServer,
        limits: RunnerLimits,
        load_timeout_s: float,
    ) -> None:
        self.key = key
        self.loop = loop
        self._owner = owner
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
        self.process = RunnerProcess(loop, fork_server, key.memory_bytes, self)
        self.watch = LimitWatch(loop, self._phase, self.process.look_at_all)
        self.process.spawn()

    @property
    def held(self) -> int:
        """How many attempts lie here."""
        return len(self.runs) + len(self._loading.runs)

    @property
    def is_shared(self) -> bool:
        """Whether attempts run here at the same time, and more of them may come."""
        return self.state == "running" and isinstance(self._mode, ConcurrentRunner)

    @property
    def is_open(self) -> bool:
        """Whether attempts may be under way here."""
        return self.state in {"running", "closed"}

    def _phase(self) -> TimeLimited | None:
        """Return whose limits of time hold now."""
        if self.state in {"dying", "dead"}:
            return None
        return self._loading if self.state == "starting" else self._mode

    @property
    def window(self) -> int:
        """How many may."""
        return self._mode.window

    def room(self) -> int:
        """Return how many more attempts of its function it takes now."""
        if self.state == "starting":
            return max(0, self._mode.window - len(self._loading.runs))
        return self._mode.room() if self.state in {"idle", "running"} else 0

    def take(self, runs: Sequence[Run], *, window: int) -> None:
        """Run these, of one function, no more than there is room for; an idle one has any."""
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
            self._loading.runs.extend(runs)
        else:
            self.state = "running"
            self._mode.send(runs)
            self.watch.renew()

    def make_way(self) -> None:
        """As `close`, for others that wait; until `reopen`."""
        self.close()
        self.yields_since = time.monotonic() if self.state == "closed" else None

    def reopen(self) -> None:
        """Take more again, where it was closed for others and is not empty yet."""
        if self.state == "closed" and self.yields_since is not None:
            self.state, self.yields_since = "running", None
            self.report_capacity()

    def close(self) -> None:
        """Take nothing more; go when it is empty."""
        self.yields_since = None
        if self.state != "starting" and self.state not in {"dying", "dead"}:
            self.state = "closed"
            self.rest()

    def stop(self, run: Run, ending: Ending) -> None:
        """End one attempt, and no other: at once, or when its process is gone."""
        if run in self._loading.runs:
            self._loading.runs.remove(run)
            run.end(ending)
        elif run.serial in self.runs and self.state != "dying":
            self._mode.stop(run, ending)

    def recall(self) -> None:
        """Take back what has not begun; others may have it."""
        self.requeue([*self._mode.take_back(), *self._loading.take()])
        self.rest()

    def kill(self) -> None:
        """Kill its process. Who is to blame for nothing goes back when it is gone."""
        if self.state not in {"dying", "dead"}:
            self.state = "dying"
            self.process.kill()

    def rest(self) -> None:
        """Nothing lies here any more, if so: it is idle, or goes."""
        if self.held or self.state in {"starting", "dying", "dead"}:
            return
        self.last_used = time.monotonic()
        if self.state == "closed":
            self.kill()
        else:
            self.state = "idle"
            self.function = ""

    def requeue(self, runs: Sequence[Run]) -> None:
        """Give attempts that have not begun to other runners."""
        self._owner.requeue(runs)

    def report_capacity(self) -> None:
        """It can take attempts, or more of them."""
        self._owner.on_room(self)

    def report_slow(self, run: Run) -> None:
        """An attempt was thought quick and is not."""
        self._owner.on_slow(run)

    def is_to_count(self, run: Run) -> bool:
        """Whether an attempt counts as lost whose runner died while nobody was executing."""
        return self._owner.is_to_count(run)

    def on_connected(self) -> None:
        """Have it load its bundle."""
        self.process.send(pack(frames.LOAD, frames.encode(self._limits), self.bundle.encode()))
        self.last_answer_at = time.monotonic()
        self.watch.renew()

    def on_refused(self, error: Exception) -> None:
        """There is no process, and nobody knows whether there will ever be."""
        self.state = "dead"
        try:
            for run in self._loading.refused(error):
                run.requeue()  # others may have processes; one ends, so that this does
        finally:
            self._owner.on_dead(self)

    def on_frame(self, frame: list[bytes]) -> None:
        """Take in what it says; raises ChannelGarbledError."""
        kind = frame[0] if frame else b""
        if len(frame) != frames.PARTS.get(kind):
            raise ChannelGarbledError(f"a runner said {kind[:20]!r}")
        if kind == frames.DONE:
            self.last_answer_at = time.monotonic()
            serial = frames.number_of(frame[1])
            if serial == frames.LOADING:
                self._loaded(frames.decode_ending(frame[2]))
            else:
                self._answered(serial, frame)
        elif kind == frames.FULL:
            ending = frames.decode_ending(frame[1])
            check_answer(ending, b"")
            if self.state == "starting":
                self._loading.fail(ending)
            else:
                self._mode.fill(ending)
        else:
            self._noted(kind.decode(), frame)

    def on_silent(self, error: Exception | None) -> None:
        """Nothing more is heard of it: what it has certainly not begun goes elsewhere."""
        self.watch.end()
        self._why_silent = error
        self.state = "dying"
        self.requeue(self._mode.fall_silent(error))

    def on_dead(self, ended: Exit | None) -> None:
        """Say who is to blame for its death; all others go back, and run again."""
        self.state = "dead"
        runs, self.runs = self.runs, {}
        try:
            self.requeue(self._loading.died(ended, self._why_silent))
            death = ending_of_death(ended, self._why_silent, "while the function ran")
            for run, ending in self._mode.endings(runs, death):
                if ending is None:
                    run.requeue()
                else:
                    run.end(ending)
        finally:
            self._owner.on_dead(self)

    def _loaded(self, ending: Ending) -> None:
        if self.state == "dying" and self._loading.failure is not None:
            return  # too late: it is being killed for that
        if self.state != "starting":
            raise ChannelGarbledError("it says that it has loaded, and was not asked to")
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
            raise ChannelGarbledError("an answer to nothing that was asked")
        said, result = frames.decode_ending(frame[2]), frame[3]
        ending = self._mode.decide(run, said)
        if ending is said:
            check_answer(ending, result)
        if serial in self.doomed:  # too late: its process is being killed for it
            return
        ran_s = frames.number_of(frame[4]) / 1e6
        del self.runs[serial]
        run.ran_s = min(max(ran_s, 0.0), self.last_answer_at - run.sent_at)
        self._mode.answered(run)
        if len(result) > self._limits.max_result_bytes:
            ending, result = too_large(len(result), self._limits.max_result_bytes), b""
        is_harmed = said.left or (ending is said and said.kind not in frames.HARMLESS)
        run.end(ending, result)  # before anything that may need a thread, or fail
        if is_harmed:
            self._mode.invalidate()
        self._owner.on_ran(self, run, left=said.left)
        self.rest()
        self.report_capacity()

    def _noted(self, kind: str, frame: list[bytes]) -> None:
        serial = frames.number_of(frame[1])
        run = self.runs.get(serial)
        if serial == frames.LOADING and self._loading.runs:
            run = self._loading.runs[0]
        if run is None:  # from a thread of an attempt that is over
            return
        check_event(kind, frame[2])
        run.send(kind, frame[2], self._limits)
        if kind == "event" and run.listener.is_full(run):
            self.process.pause(partial(run.listener.is_full, run))
