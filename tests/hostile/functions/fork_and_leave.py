"""Leave a process behind."""

from __future__ import annotations

import os
import time


def fork_and_leave() -> int:
    """Return, while a copy of this process lives on."""
    pid = os.fork()
    if pid == 0:
        time.sleep(3600)
    return pid
