"""Waiting for what must become true, instead of sleeping."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

BUSY = 4.0 if "PYTEST_XDIST_WORKER" in os.environ else 1.0  # noqa: TID251 - of the tests
"""How many times as long something may take where other tests run at the same time."""


def allowed(limit_s: float) -> float:
    """Return the limit of what takes less than `limit_s` on a machine of its own.

    `make test` runs three tests at a time on two cores, beside what else the machine does.
    A test alone, and `make faults`, keep to the limit itself.
    """
    return min(limit_s * BUSY, max(limit_s, 20.0))


def eventually(check: Callable[[], T], *, within_s: float = 20.0, every_s: float = 0.01) -> T:
    """Return the first truthy answer of `check`; fail after `allowed(within_s)` seconds.

    The longer it takes, the more seldom it looks: what it asks has other things to do.
    """
    within_s = allowed(within_s)
    began = time.monotonic()
    while not (answer := check()):
        waited = time.monotonic() - began
        if waited > within_s:
            raise AssertionError(f"not within {within_s} s: {check}; last answer {answer!r}")
        time.sleep(max(every_s, min(waited / 20, 0.05)))
    return answer
