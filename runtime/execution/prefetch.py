"""How many attempts are claimed ahead of the one that runs (prefetch).

Only of functions that are quick here, by their mean run time: what lies behind a slow one would
wait, while another worker may be idle. `window_of` counts what lies at one runner, `backlog_of`
what waits in the pool for its runners; `RunnerPool.rooms` adds them up for the next claim.
"""

from __future__ import annotations

from runtime.execution.run_times import QUICK_S, RunTimes

_LARGEST_WINDOW = 32
_ALONE_S = 0.002  # this much waiting work of a quick function justifies no further runner
_LONGEST_BACKLOG = 48  # most waiting attempts of a quick function: enough for large claims


def window_of(times: RunTimes, function: str, version: str, per_process: int) -> int:
    """Return how many attempts of a function may be in flight at one runner.

    Args:
        times: Run times of functions.
        function: Its name.
        version: Its version.
        per_process: How many of them a runner may run at the same time. If 1, the window is the
            number of runs expected to finish within `QUICK_S`.
    """
    if per_process > 1:
        return per_process
    mean_s = times.mean_s(function, version)
    return max(1, min(_LARGEST_WINDOW, int(QUICK_S / (QUICK_S if mean_s is None else mean_s))))


def backlog_of(times: RunTimes, function: str, version: str) -> int:
    """Return how many attempts of a function may wait in the pool for its runners; 0 if slow."""
    mean_s = times.mean_s(function, version)
    if mean_s is None or window_of(times, function, version, 1) == 1:
        return 0
    return min(_LONGEST_BACKLOG, int(_ALONE_S / mean_s))


def is_soon_done(times: RunTimes, function: str, version: str, waiting: int) -> bool:
    """Whether so many waiting attempts justify no further runner."""
    mean_s = times.mean_s(function, version)
    is_quick = window_of(times, function, version, 1) > 1
    return is_quick and mean_s is not None and waiting * mean_s < _ALONE_S
