"""The functions of the benchmarks with isolation "process"."""

from __future__ import annotations

import _work

from penstock import function


@function(name="process.noop", isolation="process")
def noop(value: int) -> int:
    """Give back what came."""
    return _work.noop(value)


@function(name="process.burn", isolation="process")
def burn(value: int) -> int:
    """Use 10 ms of processor time."""
    return _work.burn(value)


@function(name="process.nap", isolation="process")
def nap(value: int) -> int:
    """Sleep 100 ms."""
    return _work.nap(value)


@function(name="process.carry", isolation="process")
def carry(text: str) -> str:
    """Give back 100 KB."""
    return _work.carry(text)
