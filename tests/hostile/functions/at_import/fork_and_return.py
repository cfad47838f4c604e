"""Return twice, while the file is loaded."""

from __future__ import annotations

import os

os.fork()


def fork_and_return() -> str:
    """Return that it could be called."""
    return "called"
