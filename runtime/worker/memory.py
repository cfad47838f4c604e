"""How much memory a worker holds: itself and all that it has started."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_PROC = Path("/proc")
_PAGE_BYTES = resource.getpagesize()
_MOST_PROCESSES = 1_000


def resident_bytes(pid: int, *, proc: Path = _PROC) -> int:
    """Return the resident memory of a process and its descendants.

    Pages that forked processes share are counted in each. Where the system does not tell
    of other processes, the peak of this one.
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
        except (OSError, ValueError, IndexError):  # it has just ended
            continue
    return total
