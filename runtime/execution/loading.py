"""What waits at a runner until it has loaded its file, and what becomes of it if it does not.

The first of these has made it load, and is to blame where that fails; the others run elsewhere.
Only a file that cannot be loaded by anybody ends them all.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.execution.outcome import Ending, ending_of_death
from runtime.execution.run import Run
from runtime.execution.runner_handle import RunnerHandle
from runtime.processes.child_control import Exit


class Loading:
    """The time of one runner before it has loaded.

    Attributes:
        runs: What waits, in the order of coming.
        failure: Why it could not be loaded, where its process is killed for that.
    """

    def __init__(self, runner: RunnerHandle, timeout_s: float) -> None:
        self.runs: list[Run] = []
        self.failure: Ending | None = None
        self._runner = runner
        self._timeout_s = timeout_s

    def take(self) -> list[Run]:
        """Return what has waited; it does so no more."""
        taken, self.runs = self.runs, []
        return taken

    def fail(self, ending: Ending) -> None:
        """End with its process what waits, as this."""
        self.failure = ending
        self._runner.kill()

    def limit_at(self) -> float | None:
        """Return when it should have been loaded; None before there is a process."""
        return self._runner.last_answer_at + self._timeout_s if self._runner.process.pid else None

    def look_at_limits(self, now: float) -> None:
        """End it if it is out of time."""
        at = self.limit_at()
        if at is not None and at <= now:
            text = f"{self._runner.key.file} was not loaded within {self._timeout_s:g} s"
            self.fail(Ending(kind="timeout", message=text))

    def refused(self, error: Exception) -> Sequence[Run]:
        """End the first, as there is no process; return the others."""
        waiting = self.take()
        if waiting:
            waiting[0].end(Ending(kind="lost", message=f"no runner: {error}"))
        return waiting[1:]

    def died(self, ended: Exit | None, why: Exception | None) -> Sequence[Run]:
        """End the first, as the process is gone; return the others."""
        waiting = self.take()
        if waiting:
            ending = self.failure or ending_of_death(ended, why, "while its file was loaded")
            waiting[0].end(ending)
        return waiting[1:]
