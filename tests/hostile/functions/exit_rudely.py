"""Leave without a word."""

from __future__ import annotations

import os


def exit_rudely() -> None:
    """End the process at once."""
    os._exit(3)
