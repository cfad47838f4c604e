"""isolation="process": one attempt in a runner, from its thread's view.

    acquire a runner → load → begin, quick ones behind it → await the ending until the deadline

Attempts that the same thread will run next may be sent behind the one at hand. The thread then
holds the runner when `run` returns, and finds their endings there. What has not begun is recalled
before anybody waits: nothing is parked behind a slow attempt, and nothing that the death of a
runner has not reached is counted as lost.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from runtime.errors import ChannelClosedError, ChannelGarbledError, ChannelResetError, ProcessError
from runtime.execution.ears import Ears
from runtime.execution.ending import Ending
from runtime.execution.lining_up import leading, line_up, may_follow
from runtime.execution.outcome import Assignment
from runtime.execution.performance import too_large
from runtime.execution.quickness import Quickness
from runtime.execution.runner import Runner, RunnerKey
from runtime.execution.runner_frames import Limits
from runtime.execution.runner_pool import RunnerPool
from runtime.execution.running import Running, RunningAttempts
from runtime.execution.sent_attempts import SentAttempt
from runtime.execution.successors import Successors
from runtime.execution.tenure import Tenure, Tenures
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest

NextUp = Callable[[int], Sequence[Assignment]]
_FRESH_RUNNERS_TRIED = 2


class Turn(NamedTuple):
    """An attempt whose turn it is, and all that it needs; `sent` if it was sent ahead."""

    assignment: Assignment
    manifest: Manifest
    bundle: Bundle
    running: Running
    ears: Ears
    next_up: NextUp
    sent: SentAttempt | None


class Ran(NamedTuple):
    """How an attempt ended, its result, and how long it ran where that is known better."""

    ending: Ending
    result: bytes = b""
    ran_s: float | None = None


class RunnerLane:
    """Runs attempts in the runners of a pool; safe to call from many threads.

    Args:
        runners: Where runners come from.
        attempts: By which attempts are cancelled.
        limits: What they enforce.
        load_timeout_s: How long one may take to load a bundle.
    """

    def __init__(
        self,
        runners: RunnerPool,
        attempts: RunningAttempts,
        *,
        limits: Limits,
        load_timeout_s: float,
    ) -> None:
        self._runners = runners
        self._attempts = attempts
        self._limits = limits
        self._load_timeout_s = load_timeout_s
        self._serials = itertools.count(1)
        self._quickness = Quickness()
        self._tenures = Tenures(attempts)
        self._successors = Successors(runners, limits=limits, load_timeout_s=load_timeout_s)

    def enter(self, assignment: Assignment) -> tuple[Running, SentAttempt | None]:
        """Return by what an attempt is cancelled; and how it was sent, if it was sent ahead."""
        sent = self._tenures.mine.find(assignment)
        if sent is None or sent.running is None:
            return self._attempts.enter(assignment.id), None
        running, sent.running = sent.running, None
        running.ask_for()
        return running, sent

    def run(self, turn: Turn) -> Ran:
        """Run one attempt, or fetch the ending of one that was sent ahead."""
        tenure = self._tenures.mine
        if turn.sent is not None:
            ran = self._resume(turn, tenure, turn.sent)
            if ran is not None:
                return ran
        bundle = turn.bundle
        key = RunnerKey(bundle.file, bundle.version, turn.manifest.options.memory_bytes)
        for _ in range(self._runners.size + _FRESH_RUNNERS_TRIED):  # all warm ones may be dead
            self._leave(tenure)
            try:
                runner = self._runners.acquire(key, on_wait=turn.ears.on_wait)
            except ProcessError as error:
                return Ran(Ending(kind="lost", message=f"no runner: {error}"))
            tenure.runner = runner
            if (ran := self._start(turn, tenure, runner)) is not None:
                return ran
        return Ran(Ending(kind="lost", message="runners end before they begin the attempt"))

    def let_go(self) -> tuple[str, ...]:
        """Take back what this thread's runner has not begun, and give back one that is idle.

        Returns:
            The invocations that nobody but this thread may `run`: an attempt of theirs has
            begun, or is over.
        """
        tenure = self._tenures.mine
        runner = tenure.runner
        if runner is not None:
            runner.recall()
            tenure.drop_recalled()
            if tenure.is_running:
                return ()
            runner.look()
            if not runner.is_busy:
                self._give_back(tenure, runner)
        return tuple(sent.start.id for sent in tenure.sent)

    def _leave(self, tenure: Tenure) -> None:
        """Give up whatever this thread holds, since something else is to be run."""
        runner = tenure.runner
        if runner is not None:
            runner.recall()
            runner.look()
            self._give_back(tenure, runner)
        tenure.clear()

    def _give_back(self, tenure: Tenure, runner: Runner) -> None:
        tenure.runner = None
        if runner.is_sound:
            self._runners.release(runner)
        else:
            self._runners.discard(runner)

    def _resume(self, turn: Turn, tenure: Tenure, sent: SentAttempt) -> Ran | None:
        """Return how an attempt ended that was sent ahead; None when it has not begun."""
        runner = tenure.runner
        ran: Ran | None = None
        try:
            if sent.told is not None or runner is None:
                ran = self._fetch(sent, turn)
            else:
                tenure.is_running = True
                if not turn.running.attach(partial(runner.stop, sent)):
                    runner.stop(sent)
                ran = self._await(runner, sent, turn)
        except BaseException:
            self._spoil(runner)
            raise
        finally:
            self._finish(turn, tenure, sent)
        return ran

    def _start(self, turn: Turn, tenure: Tenure, runner: Runner) -> Ran | None:
        """Return how an attempt ended; None when it certainly has not begun."""
        sent: SentAttempt | None = None
        tenure.is_running = True
        try:
            if not runner.is_loaded and (ran := self._load(runner, turn)) is not None:
                return ran
            sent, *ahead = self._line_up(turn, runner)
            tenure.sent.append(sent)
            if not turn.running.attach(partial(runner.stop, sent)):
                return Ran(Ending(kind="cancelled"))
            return self._begin(runner, turn, tenure, sent, ahead)
        except BaseException:
            self._spoil(runner)
            raise
        finally:
            self._finish(turn, tenure, sent)

    def _spoil(self, runner: Runner | None) -> None:
        """Something that is not the runner's doing came between: nobody knows where it is."""
        if runner is not None:
            runner.kill()

    def _finish(self, turn: Turn, tenure: Tenure, sent: SentAttempt | None) -> None:
        """Part with the attempt, and with its runner unless others of this thread lie there."""
        turn.running.detach()
        tenure.is_running = False
        if sent is not None and tenure.sent and tenure.sent[0] is sent:
            tenure.sent.popleft()
        runner = tenure.runner
        if runner is None:
            return
        if tenure.sent and runner.is_spent:  # it has answered what it has taken, or never will
            runner.recall()
            runner.kill()
        tenure.drop_recalled()
        if tenure.sent:
            return
        if not runner.is_sound:
            turn.ears.on_wait()
        self._give_back(tenure, runner)
        if sent is not None and sent.told is not None and (left := sent.told[0].left):
            self._successors.make_ready(runner.key, turn.bundle, turn.assignment.function, left)

    def _load(self, runner: Runner, turn: Turn) -> Ran | None:
        """Return None when the runner is ready, else how the attempt ends without beginning."""
        if not turn.running.attach(runner.kill):
            return Ran(Ending(kind="cancelled"))
        turn.ears.on_wait()
        try:
            ending = runner.load(
                turn.bundle.encode(), self._limits, timeout_s=self._load_timeout_s, ears=turn.ears
            )
        except TimeoutError:
            text = f"{turn.bundle.file} was not loaded within {self._load_timeout_s:g} s"
            return Ran(Ending(kind="timeout", message=text))
        except ChannelClosedError as error:
            return Ran(_death_of(runner, error, "while its file was loaded"))
        return None if ending.kind == "succeeded" else Ran(ending)

    def _line_up(self, turn: Turn, runner: Runner) -> list[SentAttempt]:
        """Return the attempt, and those that may be sent behind it."""
        first = turn.assignment
        following: list[Assignment] = []
        room = self._quickness.burst(first.function, first.version) - 1
        if room > 0 and runner.takes_bursts and may_follow(first, first):
            room = min(room, self._runners.most_attempts - runner.attempts - 1)
            following = leading(first, turn.next_up(room)[:room])
        return line_up(first, following, self._serials, turn.manifest.options.timeout_s)

    def _begin(
        self,
        runner: Runner,
        turn: Turn,
        tenure: Tenure,
        sent: SentAttempt,
        ahead: Sequence[SentAttempt],
    ) -> Ran | None:
        try:
            tenure.add(ahead, runner)
            runner.begin([sent, *ahead])
        except ChannelResetError:
            return None
        except ChannelClosedError as error:
            return self._die(runner, error, turn)
        return self._await(runner, sent, turn)

    def _await(self, runner: Runner, sent: SentAttempt, turn: Turn) -> Ran | None:
        """Return how an attempt ended that the runner has; None when it has not begun."""
        timeout_s, grace_s = turn.manifest.options.timeout_s, turn.manifest.options.grace_s
        deadline = max(sent.sent_at, runner.heard_at) + timeout_s + grace_s
        try:
            runner.await_ending(sent, deadline, turn.ears)
        except TimeoutError:
            more = f", and {grace_s:g} s more" if grace_s else ""
            return Ran(Ending(kind="timeout", message=f"ran longer than {timeout_s:g} s{more}"))
        except ChannelResetError:
            return None
        except ChannelClosedError as error:
            return self._die(runner, error, turn)
        return self._ran(sent, turn)

    def _fetch(self, sent: SentAttempt, turn: Turn) -> Ran | None:
        """Return how an attempt ended whose answer has come already."""
        try:
            sent.listen(turn.ears)
        except ChannelGarbledError as error:
            return Ran(Ending(kind="lost", message=f"the runner broke its channel: {error}"))
        return self._ran(sent, turn)

    def _ran(self, sent: SentAttempt, turn: Turn) -> Ran | None:
        if sent.told is None:
            return None
        ending, result = sent.told
        ran_s = sent.ran_s
        self._quickness.note(sent.start.function, turn.bundle.version, ran_s)
        if len(result) > self._limits.max_result_bytes:
            ending, result = too_large(len(result), self._limits.max_result_bytes), b""
        return Ran(ending, result, ran_s)

    def _die(self, runner: Runner, error: ChannelClosedError, turn: Turn) -> Ran:
        turn.ears.on_wait()
        return Ran(_death_of(runner, error, "while the function ran"))


def _death_of(runner: Runner, error: ChannelClosedError, when: str) -> Ending:
    ended = None if isinstance(error, ChannelGarbledError) else runner.how_it_ended()
    if ended is None:
        return Ending(kind="lost", message=f"the runner broke its channel {when}: {error}")
    if ended.code is None:
        return Ending(kind="lost", message=f"the runner died by signal {ended.signal} {when}")
    return Ending(kind="exited", message=f"the process exited with code {ended.code} {when}")
