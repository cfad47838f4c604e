"""The attempts that wait at a runner until it has loaded its bundle.

If the process fails while loading, the first attempt, which caused the load, ends with that; the
others go to other runners. Only a file that cannot be loaded at all ends them all (`Runner`).
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.execution.outcome import Ending, ending_of_death
from runtime.execution.run import Run
from runtime.execution.runner_handle import RunnerHandle
from runtime.processes.child_control import Exit


class Loading:
    """The loading phase of one runner. Loop thread only.

    Attributes:
        runs: The waiting attempts, oldest first.
        failure: The ending for which the process is being killed, if it is.
    """

    def __init__(self, runner: RunnerHandle, timeout_s: float) -> None:
        self.runs: list[Run] = []
        self.failure: Ending | None = None
        self._runner = runner
        self._timeout_s = timeout_s

    def take(self) -> list[Run]:
        """Remove and return the waiting attempts."""
        taken, self.runs = self.runs, []
        return taken

    def fail(self, ending: Ending) -> None:
        """Kill the process; the first waiting attempt then gets this ending."""
        self.failure = ending
        self._runner.kill()

    def limit_at(self) -> float | None:
        """Return when loading must be done; None before there is a process."""
        return self._runner.last_answer_at + self._timeout_s if self._runner.process.pid else None

    def look_at_limits(self, now: float) -> None:
        """Kill the process if loading has taken too long."""
        at = self.limit_at()
        if at is not None and at <= now:
            text = f"{self._runner.key.file} was not loaded within {self._timeout_s:g} s"
            self.fail(Ending(kind="timeout", message=text))

    def refused(self, error: Exception) -> Sequence[Run]:
        """End the first attempt, as no process could be made; return the others."""
        waiting = self.take()
        if waiting:
            waiting[0].end(Ending(kind="lost", message=f"no runner could be started: {error}"))
        return waiting[1:]

    def died(self, ended: Exit | None, why: Exception | None) -> Sequence[Run]:
        """End the first attempt, as the process is dead; return the others."""
        waiting = self.take()
        if waiting:
            ending = self.failure or ending_of_death(ended, why, "while it loaded its file")
            waiting[0].end(ending)
        return waiting[1:]
