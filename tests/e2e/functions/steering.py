"""Functions to follow and to cancel: some tell what they do, some never end by themselves."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator

from penstock import Context, Retry, function


@function()
def count_up(to: int = 3, pause_s: float = 0, until: str = "", *, ctx: Context) -> Iterator[int]:
    """Yield numbers, and wait for a file before the last one."""
    for number in range(to):
        if until and number == to - 1:
            while not os.path.exists(until):  # noqa: PTH110
                time.sleep(0.01)
        print("number", number)  # noqa: T201
        ctx.progress(number + 1, to, f"{number}")
        yield number
        ctx.emit({"said": number})
        time.sleep(pause_s)


@function()
async def count_up_slowly(to: int = 3) -> AsyncIterator[dict[str, int]]:
    """Yield numbers from a coroutine."""
    for number in range(to):
        yield {"number": number}
        await asyncio.sleep(0.01)


@function(retries=1)
def stumble(*, ctx: Context) -> str:
    """Print, and succeed at the second attempt."""
    print("attempt", ctx.attempt)  # noqa: T201
    if ctx.attempt == 1:
        raise Retry(after=0.01)
    return "done"


@function()
def say(text: str) -> str:
    """Print a line and end."""
    print(text)  # noqa: T201
    return text


@function(timeout="10m")
def spin() -> None:
    """Never end, busily."""
    while True:
        pass


@function(timeout="10m")
def sleep_on() -> None:
    """Never end, asleep."""
    time.sleep(1000)


@function(timeout="10m", isolation="thread")
def look_around(*, ctx: Context) -> str:
    """Run in a thread until somebody cancels."""
    ctx.progress(0)
    while not ctx.cancelled:
        time.sleep(0.005)
    print("saw it")  # noqa: T201
    return "stopped"
