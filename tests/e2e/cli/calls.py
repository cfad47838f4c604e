"""Function files for the tests of commands: what is slow, odd, or yields."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.system import System
from tests.support.waiting import eventually

COUNT = '''
import time
from penstock import Context, function

@function()
def cli_count(upto: int = 3, pause_s: float = 0, *, ctx: Context):
    """Count, and tell of it in every way there is."""
    for number in range(1, upto + 1):
        print("counted", number)
        ctx.progress(number, upto, f"at {number}")
        yield {"number": number}
        time.sleep(pause_s)
'''
ODD = '''
from penstock import function

@function(queue="cli_odd")
def cli_odd(number: int) -> int:
    """Take odd numbers only."""
    if number % 2 == 0:
        raise ValueError(f"{number} is even")
    return number
'''
SLEEP = '''
import time
from penstock import function

@function(queue="cli_held")
def cli_sleep(seconds: float = 600) -> None:
    """Sleep."""
    print("good night")
    time.sleep(seconds)
'''
TWICE = '''
from penstock import Context, function

@function(retries={"retries": 2, "first": "10ms"})
def cli_twice(*, ctx: Context) -> None:
    """Fail at first."""
    print("try", ctx.attempt)
    if ctx.attempt < 3:
        raise ConnectionError
'''


@contextmanager
def published(system: System, **sources: str) -> Iterator[System]:
    """Publish functions, and take them away at the end."""
    files = [system.write(name, source) for name, source in sources.items()]
    for name in sources:
        eventually(lambda name=name: system.http.get(f"/functions/{name}").status_code == 200)
    try:
        yield system
    finally:
        for file in files:
            file.unlink()
