"""The exit codes of every command; they are API."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What `penstock` exits with."""

    OK = 0
    FAILED = 1  # the function, or what the command was to do, failed
    USAGE = 2  # wrong flag, argument or setting
    UNREACHABLE = 3  # no running system answers at the address
    REFUSED = 4  # the system answered with a problem: unknown name, wrong arguments
    CANNOT_START = 5  # `up`: port taken, folder not writable, no usable Redis, already running
    INTERRUPTED = 130  # Ctrl-C; what was called goes on
