"""Be deaf to every signal, then hang, while the file is loaded."""

from __future__ import annotations

import signal

for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        continue
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def change_signals() -> str:
    """Return that it could be called."""
    return "called"
