"""The functions of the benchmarks with isolation "thread"."""

from __future__ import annotations

import _work

from penstock import function


@function(name="thread.noop", isolation="thread")
def noop(value: int) -> int:
    """Give back what came."""
    return _work.noop(value)


@function(name="thread.burn", isolation="thread")
def burn(value: int) -> int:
    """Use 10 ms of processor time."""
    return _work.burn(value)


@function(name="thread.nap", isolation="thread")
def nap(value: int) -> int:
    """Sleep 100 ms."""
    return _work.nap(value)


@function(name="thread.carry", isolation="thread")
def carry(text: str) -> str:
    """Give back 100 KB."""
    return _work.carry(text)
