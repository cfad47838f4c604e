"""Leave a process behind that hides from its group and session, while the file is loaded."""

from __future__ import annotations

import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(3600)
    os._exit(0)
os.wait()


def daemonise() -> str:
    """Return that it could be called."""
    return "called"
