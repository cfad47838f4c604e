"""A function whose runs are seen from outside: each start and each end is a line in a file."""

from __future__ import annotations

import os
import time

from penstock import Context, function


@function(timeout="60s")
def witness(number: int, file: str, pause_s: float = 0, *, ctx: Context) -> int:
    """Write that it began, pause, write that it ended."""
    _write(file, "began", ctx)
    time.sleep(pause_s)
    _write(file, "ended", ctx)
    return number


def _write(file: str, what: str, ctx: Context) -> None:
    """Append in one system call, so that lines of many processes stay whole."""
    line = f"{what} {ctx.id} {ctx.attempt} {os.getpid()} {time.time()}\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
