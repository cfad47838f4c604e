"""Messages on a lifeline: the socket pair between the owner of one child and the fork server.

The server reports how the child started and exited. The owner sends `KILL`, or closes its end,
which has the same effect. The rule: a pid is signalled only while it is certain to be the child's.
The server is certain, because it reaps the child itself. The owner signals the child only if the
server does not respond, because then the child has not been reaped.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
from dataclasses import dataclass

KILL = b"k"  # owner to server; the others go from server to owner, in a WORD
STARTED = b"P"  # pid, 0
EXITED = b"X"  # exit code or -1, signal or 0
REFUSED = b"E"  # errno of the fork, 0
WORD = struct.Struct("!cii")


@dataclass(frozen=True, slots=True)
class Exit:
    """How a child ended: its exit code, or the signal that killed it."""

    code: int | None
    signal: int | None


def started(pid: int) -> bytes:
    """Return the message that the child has been forked."""
    return WORD.pack(STARTED, pid, 0)


def exited(status: Exit) -> bytes:
    """Return the message that the child has ended and been reaped."""
    return WORD.pack(EXITED, -1 if status.code is None else status.code, status.signal or 0)


def refused(error_number: int) -> bytes:
    """Return the message that there is no child, because the fork failed."""
    return WORD.pack(REFUSED, error_number, 0)


def kill_group(pid: int) -> None:
    """Kill a child that has not been reaped, and its process group."""
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    # Also by pid: a child that was forked a moment ago has not made its group yet.
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)
