"""The outside witness: every run of a function appends who it is to a file, before and after.

One `write` on a descriptor opened with O_APPEND, so that lines of many processes stay whole and
in order. Moments are of the monotonic clock, which all processes of a machine share and which
nobody sets.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

NOTE = '''
"""How a function tells the witness."""

import os
import time

from penstock import Context

FILE = {file!r}


def note(sign: str, ctx: Context) -> None:
    line = f"{{sign}} {{ctx.id}} {{ctx.attempt}} {{os.getpid()}} {{time.monotonic()}}\\n"
    descriptor = os.open(FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, line.encode())
    os.close(descriptor)
'''
SOURCE = '''
"""Functions that are seen from outside."""

import os
import signal
import time

from _witness import note
from penstock import Context, Retry, function


@function(timeout="60s")
def work(number: int, pause_s: float = 0.0, *, ctx: Context) -> int:
    note("+", ctx)
    if pause_s:
        time.sleep(pause_s)
    note("-", ctx)
    return number


@function(timeout="60s", retries=1)
def second_time(number: int, after_s: float, *, ctx: Context) -> int:
    note("+", ctx)
    if ctx.attempt == 1:
        raise Retry(after=after_s)
    note("-", ctx)
    return number


@function
def poison(number: int, *, ctx: Context) -> int:
    note("+", ctx)
    os.kill(os.getpid(), signal.SIGKILL)
    return number
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a function, as the witness saw it; `ended_s` is None when it never ended."""

    id: str
    attempt: int
    pid: int
    began_s: float
    ended_s: float | None


class Witness:
    """The file, and how to read it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def write_functions(self, folder: Path) -> None:
        """Publish the functions that tell this witness."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "_witness.py").write_text(NOTE.format(file=str(self.file)))
        (folder / "witnessed.py").write_text(SOURCE)

    def runs(self) -> list[Run]:
        """Return every run so far, in the order in which they began.

        A run that was begun twice under one id and attempt gives two runs.
        """
        if not self.file.exists():
            return []
        begun: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        ended: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        for line in self.file.read_text().splitlines():
            sign, one, attempt, pid, at_s = line.split()
            (begun if sign == "+" else ended)[one, attempt, pid].append(float(at_s))
        runs = [
            Run(id=key[0], attempt=int(key[1]), pid=int(key[2]), began_s=at_s, ended_s=end_s)
            for key, moments in begun.items()
            for at_s, end_s in zip(
                moments, ended[key] + [None] * (len(moments) - len(ended[key])), strict=True
            )
        ]
        return sorted(runs, key=lambda run: run.began_s)
