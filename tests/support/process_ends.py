"""Whether a process has ended."""

from __future__ import annotations

import psutil


def is_gone(pid: int) -> bool:
    """Whether there is no such process any more, or only its exit status is left."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
