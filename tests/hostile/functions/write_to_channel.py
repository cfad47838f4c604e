"""Speak for the runner, nonsense."""

from __future__ import annotations

import os
import stat


def write_to_channel() -> None:
    """Write into every socket of this process; one is the way to the worker."""
    for number in range(3, 1024):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                os.write(number, b"PSF1 is not what follows" * 10)
        except OSError:
            continue
