"""Be deaf to every signal, then hang."""

from __future__ import annotations

import signal
import time

from penstock import function


@function(timeout="1s")
def change_signals() -> None:
    """Ignore and block what can be ignored and blocked, and sleep for an hour."""
    _ignore_signals()
    time.sleep(3600)


def _ignore_signals() -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
