"""The words on a lifeline: the socket pair that ties one child to its owner.

The fork server tells what became of the child; the owner says `KILL`, or closes
its end, which means the same. So nobody sends a signal to a number that may by
then be somebody else's process: only the server does, and it knows who is reaped;
and the owner, when a silent server shows that nobody is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
from dataclasses import dataclass

KILL = b"k"
STARTED = b"P"
EXITED = b"X"
REFUSED = b"E"
WORD = struct.Struct("!cii")


@dataclass(frozen=True, slots=True)
class Exit:
    """How a child ended: by exit code, or by signal."""

    code: int | None
    signal: int | None


def started(pid: int) -> bytes:
    """The child runs."""
    return WORD.pack(STARTED, pid, 0)


def exited(status: Exit) -> bytes:
    """The child has ended and is reaped."""
    return WORD.pack(EXITED, -1 if status.code is None else status.code, status.signal or 0)


def refused(error_number: int) -> bytes:
    """There will be no child: the system refused to fork."""
    return WORD.pack(REFUSED, error_number, 0)


def exit_of(first: int, second: int) -> Exit:
    """Read the two numbers of `exited`."""
    return Exit(None, second) if second else Exit(first, None)


def kill_group(pid: int) -> None:
    """Kill a child not yet reaped and its group, which it may not have made yet."""
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)
