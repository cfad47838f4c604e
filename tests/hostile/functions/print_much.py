"""Print 100 MB."""

from __future__ import annotations

import os
import sys


def print_much() -> None:
    """Print by Python and, past it, by the descriptor."""
    for _ in range(50):
        sys.stdout.write("x" * 1_000_000 + "\n")
        os.write(1, b"y" * 1_000_000)
