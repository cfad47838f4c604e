"""How a command ends that cannot go on: an error that carries its exit code.

`main` prints every `PenstockError` as one sentence on stderr, without a traceback.
"""

from __future__ import annotations

from gateway.cli.exit_codes import ExitCode
from runtime.errors import PenstockError, SettingsError, StoreError


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
