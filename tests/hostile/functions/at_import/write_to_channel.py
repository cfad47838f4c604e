"""Speak for the runner, nonsense, while the file is loaded."""

from __future__ import annotations

import os
import stat

for number in range(3, 1024):
    try:
        if stat.S_ISSOCK(os.fstat(number).st_mode):
            os.write(number, b"PSF1 is not what follows" * 10)
    except OSError:
        continue


def write_to_channel() -> str:
    """Return that it could be called."""
    return "called"
