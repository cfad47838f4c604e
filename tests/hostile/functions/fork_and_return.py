"""Return twice."""

from __future__ import annotations

import os


def fork_and_return() -> str:
    """Let a copy of this process return as well."""
    return "parent" if os.fork() else "copy"
