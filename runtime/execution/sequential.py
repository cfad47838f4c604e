"""A runner that runs its attempts one after the other: those of `def` functions.

    window 1       one is sent, the next when it has ended
    window 2..16   several are sent together, of a function whose runs are quick; before it begins
                   one, the runner takes a ticket, and what has no ticket is taken back

The first without an answer is the only one that can have begun, once the others are taken back.
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

SLOW_S = 0.004  # a quick function's run is over by then; else nobody waits behind it
_MOST_BURSTS = 2  # one that is run, and one that lies ready behind it
_MOST_TRIES = 10
serials = itertools.count(1)


def is_slow(runner: RunnerHandle) -> bool:
    """Whether its first attempt has taken longer than those of quick functions do."""
    for run in runner.runs.values():
        return time.monotonic() - max(run.sent_at, runner.last_answer_at) > SLOW_S
    return False


class SequentialRunner:
    """What lies with one runner.

    Attributes:
        window: How many may be sent together.
    """

    def __init__(self, runner: RunnerHandle) -> None:
        self.window = 1
        self._runner = runner
        self._bursts: list[int] = []  # the last serial of each of those sent together
        self._has_stale = False  # what was taken back may still lie in the channel, unread
        self._slow: Timer | None = None

    def room(self) -> int:
        """Return how many can be sent now."""
        if not self._runner.runs:
            return self.window if self._takes_bursts else 1
        may_follow = self._bursts and len(self._bursts) < _MOST_BURSTS and self._takes_bursts
        return self.window if may_follow else 0

    def send(self, runs: Sequence[Run]) -> None:
        """Send these together."""
        runner, now = self._runner, time.monotonic()
        if len(runs) > 1 and not self._takes_bursts:
            runner.requeue(runs[1:])
            runs = runs[:1]
        is_burst = len(runs) > 1 or bool(runner.runs)
        numbers = [next(serials) for _ in runs]
        for serial, run in zip(numbers, runs, strict=True):
            run.serial, run.sent_at = serial, now
            runner.runs[serial] = run
        if is_burst:
            ways = runner.process.ways
            self._bursts.append(numbers[-1])
            if ways is None or not ways.issue(len(runs)):  # it takes no tickets
                self._bursts.pop()
                self._return(numbers)
                return
        first, last = numbers[0], numbers[-1]
        is_sent = runner.process.send(
            b"".join(
                [
                    run.frame(burst=first if is_burst else 0, has_more=n != last)
                    for n, run in zip(numbers, runs, strict=True)
                ]
            )
        )
        if not is_sent and not is_burst:  # the tickets of a burst say that it has not begun
            self._return(numbers)
        elif is_burst and self._slow is None:
            self._slow = runner.loop.call_later(SLOW_S, self._look_if_slow)

    def answered(self, run: Run) -> None:
        """An attempt has ended."""
        if self._bursts and run.serial == self._bursts[0]:
            self._bursts.pop(0)
        elif not self._bursts:  # it was sent alone, behind all that was taken back
            self._has_stale = False
        if not self._runner.runs:
            self._runner.process.ignore_quiet()
            self._bursts.clear()

    def take_back(self) -> list[Run]:
        """Return what has not begun, and never will."""
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
        """End one: what lies behind it goes elsewhere; where it has begun its process is killed."""
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
        runner.requeue(taken)
        runner.rest()

    def decide(self, run: Run, said: Ending) -> Ending:
        """Return how an attempt has ended, by what its runner says."""
        del run
        return said

    def invalidate(self) -> None:
        """An attempt has harmed the process, or left something running: it begins nothing more."""
        self._runner.requeue(self.take_back())
        self._runner.kill()

    def fill(self, ending: Ending) -> None:
        """Its memory is used up: the attempt that it should begin ends so."""
        taken = self.take_back()
        for run in self._runner.runs.values():
            self._runner.doomed[run.serial] = ending
            break
        self._runner.kill()
        self._runner.requeue(taken)

    def limit_at(self) -> float | None:
        """Return when the attempt that runs may be out of time."""
        for run in self._runner.runs.values():
            options = run.manifest.options
            began_at = max(run.sent_at, self._runner.last_answer_at)
            return began_at + options.timeout_s + options.grace_s
        return None

    def look_at_limits(self, now: float) -> None:
        """End what is out of time."""
        at = self.limit_at()
        if at is None or at > now:
            return
        run = next(iter(self._runner.runs.values()))
        options = run.manifest.options
        more = f", and {options.grace_s:g} s more" if options.grace_s else ""
        text = f"ran longer than {options.timeout_s:g} s{more}"
        self.stop(run, Ending(kind="timeout", message=text))

    def fall_silent(self, error: Exception | None) -> list[Run]:
        """Return what the process has certainly not begun."""
        self._end_looks()
        was_burst = bool(self._bursts)
        found, runs = self.take_back(), self._runner.runs
        if self._bursts or was_burst:
            passed = list(runs)[1:]  # it has taken these without running them
            found = [*(runs.pop(serial) for serial in passed), *found]
        elif isinstance(error, ConnectionResetError) and not self._runner.doomed:
            found = self._take_untouched(list(runs))  # it has not read what was sent to it
        return found

    def endings(
        self, runs: Mapping[int, Run], death: Ending
    ) -> Iterator[tuple[Run, Ending | None]]:
        """Return how each ends now that the process is gone: the one that ran is to blame."""
        for serial, run in runs.items():
            # Where it was killed for one, no other is to blame.
            yield run, self._runner.doomed.get(serial, None if self._runner.doomed else death)

    def _return(self, numbers: Sequence[int]) -> None:
        """Have these run elsewhere: they could not be sent, and nothing more can."""
        taken = self._take_untouched(numbers)
        self._runner.kill()
        self._runner.requeue(taken)

    def _take_untouched(self, numbers: Sequence[int]) -> list[Run]:
        """Take out those that their runner has not got, but not for the eleventh time."""
        found, runs = [], self._runner.runs
        for serial in numbers:
            runs[serial].tries += 1
            if runs[serial].tries <= _MOST_TRIES:
                found.append(runs.pop(serial))
        return found

    @property
    def _takes_bursts(self) -> bool:
        """Whether several can be sent together.

        Not where what was taken back may still lie in the channel: the runner would take the
        tickets of later ones for it.
        """
        return self._runner.process.ways is not None and not self._has_stale

    def _look_if_slow(self) -> None:
        """Whether something of a burst has ended lately; if not, let nobody wait behind it."""
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
            runner.report_slow(first)
            runner.requeue(self.take_back())
            runner.process.look_at_all()
            if len(runner.runs) > 1:  # who has taken a ticket has answered all before it
                runner.process.distrust(ChannelGarbledError("tickets are gone"))
            runner.rest()  # it may have begun none of them
            runner.report_capacity()
        else:
            self._slow = runner.loop.call_at(slow_at, self._look_if_slow)

    def _end_looks(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None
