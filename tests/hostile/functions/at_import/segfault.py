"""Crash in C code, while the file is loaded."""

from __future__ import annotations

import ctypes

ctypes.string_at(0)


def segfault() -> str:
    """Return that it could be called."""
    return "called"
