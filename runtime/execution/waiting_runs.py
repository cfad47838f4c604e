"""The attempts of a worker that wait for a runner, grouped by what they need, oldest first."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runtime.execution.load_view import RunnerWait
from runtime.execution.run import Run
from runtime.execution.runner_handle import RunnerKey


class RunnerNeed(NamedTuple):
    """What attempts need: a runner of `key` that runs this function or is idle."""

    function: str
    key: RunnerKey


def load_of(run: Run) -> RunnerNeed:
    """Return what an attempt needs."""
    bundle, memory_bytes = run.bundle, run.manifest.options.memory_bytes
    key = RunnerKey(bundle.file, bundle.version, memory_bytes)
    return RunnerNeed(run.assignment.function, key)


class WaitingRuns:
    """The waiting attempts of one worker; `run.where` is their `RunnerNeed`. Loop thread only."""

    def __init__(self) -> None:
        self._runs: dict[RunnerNeed, deque[Run]] = {}
        self._count, self._sum_s = 0, 0.0

    def __bool__(self) -> bool:
        return bool(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[RunnerNeed]:
        return iter(list(self._runs))

    def count(self, load: RunnerNeed) -> int:
        """Return how many attempts need this."""
        return len(self._runs.get(load, ()))

    def first(self, load: RunnerNeed) -> Run:
        """Return the oldest attempt that needs this; there must be one."""
        return self._runs[load][0]

    def add(self, run: Run) -> None:
        """Add an attempt after all others."""
        run.where = load = load_of(run)
        self._runs.setdefault(load, deque()).append(run)

    def add_first(self, runs: Sequence[Run]) -> None:
        """Add attempts before all others that need the same."""
        for run in reversed(runs):
            run.where = load = load_of(run)
            self._runs.setdefault(load, deque()).appendleft(run)

    def take(self, load: RunnerNeed, most: int) -> list[Run]:
        """Remove and return the oldest attempts that need this, at most `most`, for a runner."""
        runs, now = self._runs[load], time.monotonic()
        taken = [runs.popleft() for _ in range(min(most, len(runs)))]
        self._count += len(taken)
        self._sum_s += sum([now - run.created_at for run in taken])
        if not runs:
            del self._runs[load]
        return taken

    def withdraw(self, run: Run) -> None:
        """Remove one waiting attempt."""
        load = load_of(run)
        self._runs[load].remove(run)
        if not self._runs[load]:
            del self._runs[load]

    def take_older(self, before: float) -> list[Run]:
        """Remove and return the attempts that came before this moment (monotonic clock)."""
        found = []
        for load, runs in list(self._runs.items()):
            found += [run for run in runs if run.created_at <= before]
            kept = deque(run for run in runs if run.created_at > before)
            if kept:
                self._runs[load] = kept
            else:
                del self._runs[load]
        return found

    def waited(self) -> RunnerWait:
        """Return how many attempts were taken so far, and how long they waited in total."""
        return RunnerWait(count=self._count, sum_s=round(self._sum_s, 6))
