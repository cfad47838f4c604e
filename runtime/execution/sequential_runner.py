"""A runner that runs attempts one after the other: those of `def` functions.

    window 1       the next attempt is sent when the last one was answered
    window 2..32   quick functions: several attempts, a burst, are sent in one write

    one attempt of a burst:  sent ──runner takes a ticket──► started ──► answered
                               └────worker withdraws the ticket──► requeued, never starts

A ticket is one byte in a socket pair (`runtime.processes.side_channel`). The runner takes one
before it starts an attempt of a burst, skips attempts that find none, and answers each attempt
before it takes the next ticket. So once the remaining tickets are withdrawn, only the first attempt
without an answer can have started. Loop thread only.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence

from runtime.errors import ChannelGarbledError
from runtime.execution.outcome import Ending
from runtime.execution.run import Run
from runtime.execution.runner_handle import RunnerHandle
from runtime.loop import Timer

SLOW_S = 0.004  # an attempt that runs longer is slow: the attempts behind it are withdrawn
_MOST_BURSTS = 2  # one that is running, and one ready behind it
_MOST_TRIES = 10  # runners that may die before reading an attempt, until it counts as lost
serials = itertools.count(1)


def is_slow(runner: RunnerHandle) -> bool:
    """Whether the first attempt without an answer has been running longer than `SLOW_S`."""
    for run in runner.runs.values():
        return time.monotonic() - max(run.sent_at, runner.last_answer_at) > SLOW_S
    return False


class SequentialRunner:
    """The attempts in flight at one runner, sent one by one or in bursts.

    Attributes:
        window: How many attempts may be sent together.
    """

    def __init__(self, runner: RunnerHandle) -> None:
        self.window = 1
        self._runner = runner
        self._bursts: list[int] = []  # the last serial of each burst in flight
        # Withdrawn frames may still be unread in the channel. They would take the tickets of a
        # later burst. So the next attempt is sent alone, and nothing else until it is answered:
        # then the frames before it have been skipped.
        self._has_stale = False
        self._lone = 0  # the serial of that attempt; 0 until it is sent
        self._slow: Timer | None = None

    def room(self) -> int:
        """Return how many attempts can be sent now."""
        if not self._runner.runs:
            return self.window if self._takes_bursts else 1
        may_follow = self._bursts and len(self._bursts) < _MOST_BURSTS and self._takes_bursts
        return self.window if may_follow else 0

    def send(self, runs: Sequence[Run]) -> None:
        """Send these attempts, in one write."""
        runner, now = self._runner, time.monotonic()
        if len(runs) > 1 and not self._takes_bursts:
            runner.owner.requeue(runs[1:])
            runs = runs[:1]
        is_burst = len(runs) > 1 or bool(runner.runs)
        numbers = [next(serials) for _ in runs]
        for serial, run in zip(numbers, runs, strict=True):
            run.serial, run.sent_at = serial, now
            runner.runs[serial] = run
        if is_burst:
            ways = runner.process.ways
            self._bursts.append(numbers[-1])
            # Tickets before frames: a runner that reads a frame first finds none and skips it.
            if ways is None or not ways.issue(len(runs)):  # the runner has closed its end
                self._bursts.pop()
                self._return(numbers)
                return
        else:
            self._lone = numbers[0]
        first, last = numbers[0], numbers[-1]
        is_sent = runner.process.send(
            b"".join(
                [
                    run.frame(burst=first if is_burst else 0, has_more=n != last)
                    for n, run in zip(numbers, runs, strict=True)
                ]
            )
        )
        # A burst that was not sent is requeued by `fall_silent`: its tickets show what started.
        if not is_sent and not is_burst:
            self._return(numbers)
        elif is_burst and self._slow is None:
            self._slow = runner.loop.call_later(SLOW_S, self._look_if_slow)

    def answered(self, run: Run) -> None:
        """Note that an attempt was answered; its `run` is no longer in `runner.runs`."""
        if self._bursts and run.serial == self._bursts[0]:
            self._bursts.pop(0)
        elif run.serial == self._lone:
            self._has_stale = False
        if not self._runner.runs:
            self._runner.process.ignore_quiet()
            self._bursts.clear()

    def take_back(self) -> list[Run]:
        """Withdraw and return the attempts that have not started; they never will."""
        ways, runs = self._runner.process.ways, self._runner.runs
        if ways is None or not self._bursts:
            return []
        found = []
        for serial in list(runs)[len(runs) - min(ways.take_back(), len(runs)) :]:
            found.append(runs.pop(serial))
            self._has_stale = True
        if found:
            self._bursts = [max(runs)] if runs else []
        return found

    def stop(self, run: Run, ending: Ending) -> None:
        """Finish one attempt and requeue those behind it; if it has started, kill the process."""
        runner = self._runner
        taken = self.take_back()
        if run in taken:
            taken.remove(run)
            run.end(ending)
        else:
            runner.process.look_at_all()
            if run.serial in runner.runs:
                runner.doomed[run.serial] = ending
                runner.kill()
        runner.owner.requeue(taken)
        runner.rest()

    def decide(self, run: Run, said: Ending) -> Ending:
        """Return the ending of an attempt, given what the runner reports: just that."""
        del run
        return said

    def invalidate(self) -> None:
        """Start nothing more: an attempt harmed the process, or left something running."""
        self._runner.owner.requeue(self.take_back())
        self._runner.kill()

    def fill(self, ending: Ending) -> None:
        """Out of memory: the attempt about to start gets this ending, the others are requeued."""
        taken = self.take_back()
        for run in self._runner.runs.values():
            self._runner.doomed[run.serial] = ending
            break
        self._runner.kill()
        self._runner.owner.requeue(taken)

    def limit_at(self) -> float | None:
        """Return when the running attempt exceeds its timeout and grace, None if there is none."""
        for run in self._runner.runs.values():
            options = run.manifest.options
            began_at = max(run.sent_at, self._runner.last_answer_at)
            return began_at + options.timeout_s + options.grace_s
        return None

    def look_at_limits(self, now: float) -> None:
        """Kill the process if the running attempt has exceeded its timeout and grace."""
        at = self.limit_at()
        if at is None or at > now:
            return
        run = next(iter(self._runner.runs.values()))
        options = run.manifest.options
        more = f" plus {options.grace_s:g} s of grace" if options.grace_s else ""
        text = f"ran longer than {options.timeout_s:g} s{more}"
        self.stop(run, Ending(kind="timeout", message=text))

    def fall_silent(self, error: Exception | None) -> list[Run]:
        """Return the attempts that have certainly not started."""
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None
        was_burst = bool(self._bursts)
        found, runs = self.take_back(), self._runner.runs
        if self._bursts or was_burst:
            # Tickets of later attempts that are gone were not taken by the runner's own code, which
            # answers the first attempt before it takes another.
            passed = list(runs)[1:]
            found = [*(runs.pop(serial) for serial in passed), *found]
        elif isinstance(error, ConnectionResetError) and not self._runner.doomed:
            # A reset means that the process died with unread data in its socket: the one attempt.
            found = self._take_untouched(list(runs))
        return found

    def endings(
        self, runs: Mapping[int, Run], death: Ending
    ) -> Iterator[tuple[Run, Ending | None]]:
        """Yield the ending of each attempt after the death of the process: the first caused it."""
        for serial, run in runs.items():
            # If the process was killed because of one attempt, no other one caused the death.
            yield run, self._runner.doomed.get(serial, None if self._runner.doomed else death)

    def _return(self, numbers: Sequence[int]) -> None:
        """Requeue attempts that could not be sent, and kill the process, which reads no more."""
        taken = self._take_untouched(numbers)
        self._runner.kill()
        self._runner.owner.requeue(taken)

    def _take_untouched(self, numbers: Sequence[int]) -> list[Run]:
        """Remove and return attempts that the runner has not read, each at most ten times."""
        found, runs = [], self._runner.runs
        for serial in numbers:
            runs[serial].tries += 1
            if runs[serial].tries <= _MOST_TRIES:
                found.append(runs.pop(serial))
        return found

    @property
    def _takes_bursts(self) -> bool:
        """Whether attempts can be sent in bursts: there are tickets, and no stale frames."""
        return self._runner.process.ways is not None and not self._has_stale

    def _look_if_slow(self) -> None:
        """Check whether the first attempt of a burst is slow; if so, withdraw those behind it."""
        self._slow = None
        runner = self._runner
        if not self._bursts or not runner.runs or not runner.is_open:
            return
        runner.process.look()
        if not self._bursts or not runner.runs:
            return
        first = next(iter(runner.runs.values()))
        slow_at = max(first.sent_at, runner.last_answer_at) + SLOW_S
        if slow_at <= time.monotonic():
            runner.process.listen_quiet()
            runner.owner.on_slow(first)
            runner.owner.requeue(self.take_back())
            runner.process.look_at_all()
            if len(runner.runs) > 1:  # a runner answers one attempt before it takes a ticket
                runner.process.distrust(ChannelGarbledError("it took a ticket without answering"))
            runner.rest()  # idle, if no attempt had started
            runner.report_capacity()
        else:
            self._slow = runner.loop.call_at(slow_at, self._look_if_slow)
