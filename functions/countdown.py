"""An example that takes its time: watch its progress, wait for it, or cancel it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from penstock import Context, function


@dataclass(frozen=True, slots=True, kw_only=True)
class Countdown:
    """The numbers counted, whether the countdown reached zero, and the seconds it took."""

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
    """Count down to zero, with a pause after each number, and report progress.

    If the invocation is cancelled, it stops early and returns the numbers counted so far.

    Args:
        start: The first number.
        pause_s: Pause in seconds after each number except zero.

    Returns:
        The numbers counted, whether it reached zero, and the seconds it took.
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
