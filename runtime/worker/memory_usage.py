"""The resident memory of a worker process and its child processes."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

_PROC = Path("/proc")
_PAGE_BYTES = resource.getpagesize()
_MOST_PROCESSES = 1_000


class MemoryUse:
    """Measures the memory of this process and its descendants at intervals.

    Attributes:
        resident_bytes: The last measurement. Written by the maintenance thread, read by the loop.
    """

    def __init__(self, interval_s: float) -> None:
        self.resident_bytes = 0
        self._interval_s = interval_s

    def step(self) -> float:
        """Measure; return the seconds until the next measurement."""
        self.resident_bytes = resident_bytes(os.getpid())
        return self._interval_s


def resident_bytes(pid: int, *, proc: Path = _PROC) -> int:
    """Return the resident memory of a process and its descendants.

    Pages that forked processes share count in each of them. Without /proc, this is the peak of the
    calling process.
    """
    if not (proc / str(pid) / "statm").exists():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    total, seen, waiting = 0, 0, [pid]
    while waiting and seen < _MOST_PROCESSES:
        folder = proc / str(waiting.pop())
        seen += 1
        try:
            total += int((folder / "statm").read_text().split()[1]) * _PAGE_BYTES
            for children in folder.glob("task/*/children"):
                waiting += map(int, children.read_text().split())
        except (OSError, ValueError, IndexError):  # the process has just ended
            continue
    return total
