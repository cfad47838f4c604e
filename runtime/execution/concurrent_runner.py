"""A runner that runs attempts at the same time, at most `per_process` of them.

    in flight ──answer──► ended
        │ `stop` frame: timeout or cancellation
        ▼
    asked to end ──answer──► ended as it was asked to
        │ no answer within 1 s, or `grace_s` for a timeout if that is longer
        ▼
    process killed; ended as it was asked to, or requeued if another attempt blocked the event loop

The runner cancels the attempt's asyncio task or interrupts its thread. If the process dies, only
attempts that were executing according to the shared page can be the cause; the others are requeued.
If none was executing, each is requeued ten times at most (`runtime.execution.unexplained_deaths`).

Loop thread only. The runner process writes the shared page; this module only reads it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from runtime.execution import runner_protocol as frames
from runtime.execution.outcome import Ending, timed_out
from runtime.execution.run import Run
from runtime.execution.runner_handle import RunnerHandle
from runtime.execution.sequential_runner import serials
from runtime.processes.frames import pack

_OBEY_S = 1.0  # how long an attempt may take to end after `stop`


class _Asked(NamedTuple):
    """An attempt was asked to end: by when, with which ending, and the loop's step at that time.

    A step is the serial that the runner's event loop was executing, and the number of its steps.
    """

    by: float
    ending: Ending
    step: tuple[int, int]


class ConcurrentRunner:
    """The attempts in flight at one runner, all at the same time.

    Attributes:
        window: How many attempts may be in flight.
    """

    def __init__(self, runner: RunnerHandle) -> None:
        self.window = 1
        self._runner = runner
        self._asked: dict[int, _Asked] = {}  # by serial: those that were sent `stop`

    def room(self) -> int:
        """Return how many more attempts can be sent now."""
        return max(0, self.window - len(self._runner.runs))

    def send(self, runs: Sequence[Run]) -> None:
        """Send these attempts, in one write; the runner starts all of them at once."""
        runner, now = self._runner, time.monotonic()
        data = []
        for run in runs:
            run.serial, run.sent_at = next(serials), now
            runner.runs[run.serial] = run
            data.append(run.frame(per_process=self.window))
        runner.process.send(b"".join(data))

    def answered(self, run: Run) -> None:
        """Note that an attempt was answered; its `run` is no longer in `runner.runs`."""
        self._asked.pop(run.serial, None)

    def take_back(self) -> list[Run]:
        """Return an empty list: attempts start when they arrive, so none can be withdrawn."""
        return []

    def stop(self, run: Run, ending: Ending) -> None:
        """Ask one attempt to end; `watch` kills the process if it does not in time."""
        if run.serial not in self._asked:
            self._runner.process.send(self._ask(run, ending, self._step()))
            self._runner.watch.look_by(self._asked[run.serial].by)

    def decide(self, run: Run, said: Ending) -> Ending:
        """Return the ending of an attempt: the one it was asked for, else the one reported."""
        asked = self._asked.get(run.serial)
        return said if asked is None else asked.ending

    def invalidate(self) -> None:
        """Start nothing more: an attempt harmed the process, or left something running."""
        self._runner.close()

    def fill(self, ending: Ending) -> None:
        """Out of memory: executing attempts, or all if none is, get this ending."""
        for serial in self._executing() or list(self._runner.runs):
            if serial in self._runner.runs:
                self._runner.doomed[serial] = ending
        self._runner.kill()

    def limit_at(self) -> float | None:
        """Return when the first timeout passes, or the first attempt must have ended as asked."""
        moments = [asked.by for asked in self._asked.values()]
        for run in self._runner.runs.values():  # in sending order, with one timeout for all
            if run.serial not in self._asked:
                moments.append(run.sent_at + run.manifest.options.timeout_s)
                break
        return min(moments, default=None)

    def look_at_limits(self, now: float) -> None:
        """Send `stop` to attempts that are out of time; kill the process if one did not obey."""
        stops, step = [], self._step()
        for run in self._runner.runs.values():
            options = run.manifest.options
            if run.serial in self._asked:
                continue
            # In sending order and with one timeout, so all later ones are due later.
            if run.sent_at + options.timeout_s > now:
                break
            stops.append(self._ask(run, timed_out(options.timeout_s), step))
        if stops:  # in one write, as a thousand may be due at once
            self._runner.process.send(b"".join(stops))
        late = {serial: asked for serial, asked in self._asked.items() if asked.by <= now}
        if late:
            # Before the kill, so that `endings` treats only these as the cause.
            self._runner.doomed.update(
                {serial: asked.ending for serial, asked in late.items() if self._may_obey(serial)}
            )
            self._runner.kill()

    def fall_silent(self, error: Exception | None) -> list[Run]:
        """Return an empty list: any of the attempts may have started."""
        del error
        return []

    def endings(
        self, runs: Mapping[int, Run], death: Ending
    ) -> Iterator[tuple[Run, Ending | None]]:
        """Yield the ending of each attempt after the death of the process; None: requeue it."""
        executing = self._executing()
        if len(runs) == 1:  # it is the cause, even while it was waiting: its threads count
            executing.update(runs)
        # Unexplained: killed from outside, or by a thread that no slot of the page is for.
        is_explained = bool(self._runner.doomed) or not executing.isdisjoint(runs)
        for serial, run in runs.items():
            asked = self._asked.get(serial)
            if serial in self._runner.doomed:
                yield run, self._runner.doomed[serial]
            elif serial in executing and not self._runner.doomed:  # else killed for another
                yield run, death
            elif asked is not None and self._may_obey(serial):
                yield run, asked.ending
            elif not is_explained and self._runner.owner.is_to_count(run):
                yield run, death
            else:
                yield run, None

    def _ask(self, run: Run, ending: Ending, step: tuple[int, int]) -> bytes:
        """Record that an attempt is asked to end, and return the `stop` frame for it."""
        grace_s = run.manifest.options.grace_s if ending.kind == "timeout" else 0.0
        by = time.monotonic() + max(_OBEY_S, grace_s)
        self._asked[run.serial] = _Asked(by, ending, step)
        why = b"timeout" if ending.kind == "timeout" else b"cancelled"
        return pack(frames.STOP, b"%d" % run.serial, why)

    def _may_obey(self, serial: int) -> bool:
        """Whether the attempt could have obeyed: no other one has blocked the loop since `stop`."""
        step = self._step()
        return step[0] in {0, serial} or step != self._asked[serial].step

    def _step(self) -> tuple[int, int]:
        ways = self._runner.process.ways
        return (0, 0) if ways is None else ways.page.step()

    def _executing(self) -> set[int]:
        ways = self._runner.process.ways
        return set() if ways is None else ways.page.executing()
