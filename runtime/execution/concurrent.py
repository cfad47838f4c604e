"""A runner that runs its attempts at the same time: `per_process` of them at most.

Each is ended by asking: its task is cancelled, its thread interrupted. What does not obey is ended
with its process; where another has kept the event loop since it was asked, it could not. Who was
executing when a process dies, its shared page tells; all others are to blame for nothing, but
where nobody was, not for ever (`runtime.execution.unexplained_deaths`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from runtime.execution import runner_protocol as frames
from runtime.execution.outcome import Ending
from runtime.execution.run import Run
from runtime.execution.runner_handle import RunnerHandle
from runtime.execution.sequential import serials
from runtime.processes.channel import pack

_OBEY_S = 1.0


class _Asked(NamedTuple):
    """What one was asked to end as, by when it must have, and the loop's step at that moment."""

    by: float
    ending: Ending
    step: tuple[int, int]


class ConcurrentRunner:
    """What lies with one runner.

    Attributes:
        window: How many may.
    """

    def __init__(self, runner: RunnerHandle) -> None:
        self.window = 1
        self._runner = runner
        self._asked: dict[int, _Asked] = {}  # to end

    def room(self) -> int:
        """Return how many more it takes."""
        return max(0, self.window - len(self._runner.runs))

    def send(self, runs: Sequence[Run]) -> None:
        """Send these; all begin at once."""
        runner, now = self._runner, time.monotonic()
        data = []
        for run in runs:
            run.serial, run.sent_at = next(serials), now
            runner.runs[run.serial] = run
            data.append(run.frame(per_process=self.window))
        runner.process.send(b"".join(data))

    def answered(self, run: Run) -> None:
        """An attempt has ended."""
        self._asked.pop(run.serial, None)

    def take_back(self) -> list[Run]:
        """Return what has not begun: nothing, as all begin at once."""
        return []

    def stop(self, run: Run, ending: Ending) -> None:
        """Ask one to end; its process is killed when it has not within a moment."""
        if run.serial not in self._asked:
            self._runner.process.send(self._ask(run, ending, self._step()))
            self._runner.watch.look_by(self._asked[run.serial].by)

    def decide(self, run: Run, said: Ending) -> Ending:
        """Return how an attempt has ended, by what its runner says: as it was asked to, if so."""
        asked = self._asked.get(run.serial)
        return said if asked is None else asked.ending

    def invalidate(self) -> None:
        """An attempt has harmed the process, or left something running: it begins nothing more."""
        self._runner.close()

    def fill(self, ending: Ending) -> None:
        """Its memory is used up, and nobody can say by whom: who executes ends so."""
        for serial in self._executing() or list(self._runner.runs):
            if serial in self._runner.runs:
                self._runner.doomed[serial] = ending
        self._runner.kill()

    def limit_at(self) -> float | None:
        """Return when the first of them may be out of time, or has not obeyed."""
        moments = [asked.by for asked in self._asked.values()]
        for run in self._runner.runs.values():  # all have the same time, the first began first
            if run.serial not in self._asked:
                moments.append(run.sent_at + run.manifest.options.timeout_s)
                break
        return min(moments, default=None)

    def look_at_limits(self, now: float) -> None:
        """Ask what is out of time to end, and end what has not obeyed."""
        stops, step = [], self._step()
        for run in self._runner.runs.values():
            options = run.manifest.options
            if run.serial in self._asked:
                continue
            if run.sent_at + options.timeout_s > now:
                break
            text = f"ran longer than {options.timeout_s:g} s"
            stops.append(self._ask(run, Ending(kind="timeout", message=text), step))
        if stops:  # a thousand may be due at once
            self._runner.process.send(b"".join(stops))
        late = {serial: asked for serial, asked in self._asked.items() if asked.by <= now}
        if late:
            self._runner.doomed.update(
                {serial: asked.ending for serial, asked in late.items() if self._may_obey(serial)}
            )
            self._runner.kill()

    def fall_silent(self, error: Exception | None) -> list[Run]:
        """Return what the process has certainly not begun: nobody knows that of any."""
        del error
        return []

    def endings(
        self, runs: Mapping[int, Run], death: Ending
    ) -> Iterator[tuple[Run, Ending | None]]:
        """Return how each ends now that the process is gone; None: it is to blame for nothing."""
        executing = self._executing()
        if len(runs) == 1:  # nobody else can be to blame: it may kill its process while it waits
            executing.update(runs)
        is_explained = bool(self._runner.doomed) or not executing.isdisjoint(runs)
        for serial, run in runs.items():
            asked = self._asked.get(serial)
            if serial in self._runner.doomed:
                yield run, self._runner.doomed[serial]
            elif serial in executing and not self._runner.doomed:  # else it was killed for another
                yield run, death
            elif asked is not None and self._may_obey(serial):
                yield run, asked.ending
            elif not is_explained and self._runner.is_to_count(run):
                yield run, death
            else:
                yield run, None

    def _ask(self, run: Run, ending: Ending, step: tuple[int, int]) -> bytes:
        """Note that one is asked to end, and return the frame that asks it."""
        grace_s = run.manifest.options.grace_s if ending.kind == "timeout" else 0.0
        by = time.monotonic() + max(_OBEY_S, grace_s)
        self._asked[run.serial] = _Asked(by, ending, step)
        why = b"timeout" if ending.kind == "timeout" else b"cancelled"
        return pack(frames.STOP, b"%d" % run.serial, why)

    def _may_obey(self, serial: int) -> bool:
        """Whether the event loop is its own, or has gone on since it was asked."""
        step = self._step()
        return step[0] in {0, serial} or step != self._asked[serial].step

    def _step(self) -> tuple[int, int]:
        ways = self._runner.process.ways
        return (0, 0) if ways is None else ways.step()

    def _executing(self) -> set[int]:
        ways = self._runner.process.ways
        return set() if ways is None else ways.executing()
