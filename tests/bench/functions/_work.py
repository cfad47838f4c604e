"""What is called in the benchmarks; the peers run the same lines."""

from __future__ import annotations

import time

BURN_S = 0.010
NAP_S = 0.100


def noop(value: int) -> int:
    """Give back what came."""
    return value


def burn(value: int) -> int:
    """Use 10 ms of processor time."""
    until = time.thread_time() + BURN_S
    while time.thread_time() < until:
        pass
    return value


def nap(value: int) -> int:
    """Sleep 100 ms."""
    time.sleep(NAP_S)
    return value


def carry(text: str) -> str:
    """Give back 100 KB."""
    return text
