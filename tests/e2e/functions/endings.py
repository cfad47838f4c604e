"""Functions that end badly."""

from __future__ import annotations

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


@function()
def reject() -> None:
    """Refuse."""
    raise Reject("not with me")
