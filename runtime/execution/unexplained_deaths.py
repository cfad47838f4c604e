"""Counts how often an attempt was at a runner that died while no attempt was executing.

An attempt that was only waiting did not cause the death, and is run again uncounted. But an attempt
may kill its process from a thread of its own, again and again. So after ten such deaths the next
one counts as lost. Each worker process has its own counts.
"""

from __future__ import annotations

from runtime.execution.run import Run

_MOST_UNCOUNTED = 10
_MOST_KNOWN = 100_000


class UnexplainedDeaths:
    """The counts of one worker process. Loop thread only."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], int] = {}  # by invocation and attempt

    def note(self, run: Run) -> bool:
        """Count a death; return whether it is one too many for this attempt."""
        key = _key(run)
        count = self._counts.pop(key, 0) + 1
        if count > _MOST_UNCOUNTED:
            return True
        if len(self._counts) >= _MOST_KNOWN:
            del self._counts[next(iter(self._counts))]
        self._counts[key] = count
        return False

    def forget(self, run: Run) -> None:
        """Delete the count of an attempt that has finished."""
        if self._counts:
            self._counts.pop(_key(run), None)


def _key(run: Run) -> tuple[str, int]:
    return (run.assignment.id, run.assignment.attempt)
