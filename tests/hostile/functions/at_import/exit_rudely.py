"""Leave without a word, while the file is loaded."""

from __future__ import annotations

import os

os._exit(3)


def exit_rudely() -> str:
    """Return that it could be called."""
    return "called"
