"""Leave by the front door, while the file is loaded."""

from __future__ import annotations

import sys

sys.exit(3)


def exit_politely() -> str:
    """Return that it could be called."""
    return "called"
