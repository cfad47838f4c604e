"""Print 100 MB, while the file is loaded."""

from __future__ import annotations

import os
import sys

for _ in range(50):
    sys.stdout.write("x" * 1_000_000 + "\n")
    os.write(1, b"y" * 1_000_000)


def print_much() -> str:
    """Return that it could be called."""
    return "called"
