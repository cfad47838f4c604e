"""Never come back, while the file is loaded."""

from __future__ import annotations

import time

time.sleep(3600)


def hang() -> str:
    """Return that it could be called."""
    return "called"
