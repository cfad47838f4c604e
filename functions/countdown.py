"""Slow on purpose: something to watch, to wait for and to cancel."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from penstock import Context, function


@dataclass(frozen=True, slots=True, kw_only=True)
class Countdown:
    """How a countdown went: the numbers said, whether it reached zero, and how long it took."""

    counted: list[int]
    reached_zero: bool
    took_s: float


@function(timeout="10m")
def countdown(
    start: Annotated[int, Field(ge=0, le=100)] = 5,
    pause_s: Annotated[float, Field(ge=0, le=5)] = 1.0,
    *,
    ctx: Context,
) -> Countdown:
    """Count down to zero, pausing after each number, and report progress on the way.

    Ends early, with what it has counted so far, when the invocation is cancelled.

    Args:
        start: The first number said.
        pause_s: Seconds of pause after each number but zero.

    Returns:
        The numbers said, whether zero was reached, and the seconds it took.
    """
    began_at = time.monotonic()
    counted: list[int] = []
    for number in range(start, -1, -1):
        if ctx.cancelled:
            break
        counted.append(number)
        ctx.progress(len(counted), start + 1, f"{number} …" if number else "lift-off")
        if number:
            time.sleep(pause_s)
    return Countdown(
        counted=counted,
        reached_zero=counted[-1:] == [0],
        took_s=round(time.monotonic() - began_at, 3),
    )
