"""Crash in C code."""

from __future__ import annotations

import ctypes


def segfault() -> None:
    """Read where nothing may be read."""
    ctypes.string_at(0)
