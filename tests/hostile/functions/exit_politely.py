"""Leave by the front door."""

from __future__ import annotations

import sys


def exit_politely() -> None:
    """Ask the process to end."""
    sys.exit(3)
