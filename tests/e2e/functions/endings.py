"""One function for every way an invocation can end badly."""

from __future__ import annotations

import ctypes
import os
import re
import sys
import time

from penstock import Reject, function


@function()
def raise_error() -> None:
    """Raise."""
    raise ValueError("this went wrong")


@function(timeout="1s")
def sleep_too_long() -> None:
    """Sleep past the timeout."""
    time.sleep(600)


@function(timeout="1s")
def match_too_long() -> bool:
    """Hold the interpreter in a regular expression past the timeout."""
    return bool(re.match(r"(a+)+$", "a" * 40 + "b"))


@function()
def exit_politely() -> None:
    """Leave by sys.exit."""
    sys.exit(3)


@function()
def exit_rudely() -> None:
    """Leave by os._exit."""
    os._exit(3)


@function()
def crash() -> None:
    """Read where nothing may be read."""
    ctypes.string_at(0)


@function(memory="256MB")
def eat_memory() -> int:
    """Ask for more memory than allowed."""
    return len([bytearray(16_000_000) for _ in range(1000)])


@function()
def return_an_object():
    """Return what JSON cannot say."""
    return object()


@function()
def return_too_much() -> str:
    """Return more than a result may hold."""
    return "x" * 2_000_000


@function()
def reject() -> None:
    """Refuse."""
    raise Reject("not with me")
