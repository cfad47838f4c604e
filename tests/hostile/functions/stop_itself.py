"""Stop its own process."""

from __future__ import annotations

import os
import signal

from penstock import function


@function(timeout="1s")
def stop_itself() -> None:
    """Fall asleep by SIGSTOP."""
    os.kill(os.getpid(), signal.SIGSTOP)
