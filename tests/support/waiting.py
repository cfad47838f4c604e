"""Waiting for what must become true, instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(check: Callable[[], T], *, within_s: float = 20.0, every_s: float = 0.01) -> T:
    """Return the first truthy answer of `check`; fail after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not (answer := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {check}; last answer {answer!r}")
        time.sleep(every_s)
    return answer
