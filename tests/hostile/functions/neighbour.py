"""A function that means no harm, beside those that do."""

from __future__ import annotations

import time


def neighbour(pause_s: float = 0) -> str:
    """Return after a pause."""
    time.sleep(pause_s)
    return "well"
