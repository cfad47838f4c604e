"""How a command ends: the exit codes, which are API, and the error that carries one.

Every command ends through `main`, which prints a `PenstockError` as one sentence
on stderr, without a traceback, and exits with the code given here.
"""

from __future__ import annotations

from enum import IntEnum

from runtime.errors import PenstockError, SettingsError, StoreError


class ExitCode(IntEnum):
    """What `penstock` exits with."""

    OK = 0
    FAILED = 1  # the function, or what the command was to do, failed
    USAGE = 2  # wrong flag, argument or setting
    UNREACHABLE = 3  # no running system answers at the address
    REFUSED = 4  # the system answered with a problem: unknown name, wrong arguments
    CANNOT_START = 5  # `up`: port taken, folder not writable, no usable Redis, already running


class CommandError(PenstockError):
    """A command cannot go on; the text says what to do about it."""

    code = "command_failed"

    def __init__(self, message: str, *, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def exit_code_of(error: PenstockError) -> ExitCode:
    """Return what to exit with when this error ended the command."""
    if isinstance(error, CommandError):
        return error.exit_code
    if isinstance(error, SettingsError):
        return ExitCode.USAGE
    if isinstance(error, StoreError):
        return ExitCode.CANNOT_START
    return ExitCode.FAILED
