"""Leave a process behind, while the file is loaded."""

from __future__ import annotations

import os
import time

if os.fork() == 0:
    time.sleep(3600)


def fork_and_leave() -> str:
    """Return that it could be called."""
    return "called"
