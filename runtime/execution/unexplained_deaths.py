"""How often an attempt was with a runner that died while nobody was executing.

Who sleeps when its runner is killed from outside is to blame for nothing, and runs again without
being counted. But an attempt may kill its process from a thread of its own, and would do so for
ever: after so many of such deaths one more counts. Each worker process knows its own.
"""

from __future__ import annotations

from runtime.execution.run import Run

_MOST_UNCOUNTED = 10
_MOST_KNOWN = 100_000


class UnexplainedDeaths:
    """Those of the runners of one worker process; the loop's thread only."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], int] = {}  # by invocation and attempt

    def note(self, run: Run) -> bool:
        """Note that an attempt was with such a runner; return whether it is to be counted now."""
        key = _key(run)
        count = self._counts.pop(key, 0) + 1
        if count > _MOST_UNCOUNTED:
            return True
        if len(self._counts) >= _MOST_KNOWN:
            del self._counts[next(iter(self._counts))]
        self._counts[key] = count
        return False

    def forget(self, run: Run) -> None:
        """An attempt is over."""
        if self._counts:
            self._counts.pop(_key(run), None)


def _key(run: Run) -> tuple[str, int]:
    return (run.assignment.id, run.assignment.attempt)
