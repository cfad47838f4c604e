"""Leave a process behind that hides from its group and session."""

from __future__ import annotations

import os
import time


def daemonise() -> int:
    """Return the process id of a daemon, made as the book says."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        pid = os.fork()
        if pid == 0:
            os.closerange(0, 1024)
            time.sleep(3600)
        os.write(writing, b"%d" % pid)
        os._exit(0)
    os.wait()
    return int(os.read(reading, 20))
