"""What a measurement prints while it goes on."""

from __future__ import annotations

import sys


def report(*lines: str) -> None:
    """Print lines at once."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
