"""What one thread holds between two attempts: a runner, and its own attempts that lie with it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from functools import partial

from runtime.execution.outcome import Assignment
from runtime.execution.runner import Runner
from runtime.execution.running import RunningAttempts
from runtime.execution.sent_attempts import SentAttempt


class Tenure:
    """One thread's.

    Attributes:
        runner: Held by this thread; None when it has been given back.
        sent: What was sent and not yet asked for, in order; it may have ended.
        is_running: This thread runs an attempt at the moment.
    """

    def __init__(self, attempts: RunningAttempts) -> None:
        self.runner: Runner | None = None
        self.sent: deque[SentAttempt] = deque()
        self.is_running = False
        self._attempts = attempts

    def add(self, ahead: Sequence[SentAttempt], runner: Runner) -> None:
        """Keep what was sent ahead; from now on it can be cancelled."""
        for sent in ahead:
            sent.running = self._attempts.enter(sent.start.id)
            sent.running.attach(partial(runner.stop, sent), is_ahead=True)
            self.sent.append(sent)

    def find(self, assignment: Assignment) -> SentAttempt | None:
        """Return this attempt where it was sent; those before it are not asked for any more."""
        for index, sent in enumerate(self.sent):
            if (sent.start.id, sent.start.attempt) == (assignment.id, assignment.attempt):
                for _ in range(index):
                    self._forget(self.sent.popleft())
                return None if sent.is_recalled else sent
        return None

    def drop_recalled(self) -> None:
        """Forget what is with the runner no more."""
        while self.sent and self.sent[-1].is_recalled:  # the last ones, always
            self._forget(self.sent.pop())

    def clear(self) -> None:
        """Forget everything that was sent."""
        while self.sent:
            self._forget(self.sent.pop())

    def _forget(self, sent: SentAttempt) -> None:
        running, sent.running = sent.running, None
        if running is not None:
            self._attempts.leave(running)


class Tenures(threading.local):
    """One for each thread; looked up once an attempt, since a thread's own costs more to reach."""

    def __init__(self, attempts: RunningAttempts) -> None:
        self.mine = Tenure(attempts)
