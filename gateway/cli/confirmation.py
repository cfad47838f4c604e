"""Asking a person before much happens at once; a machine says `--yes`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gateway.cli.errors import CommandError
from gateway.cli.exit_codes import ExitCode

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def confirm(question: str, *, yes: bool) -> None:
    """Go on when told so.

    Raises:
        CommandError: The answer is no, or nobody is there to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandError(
            f"{question} Say --yes, as nobody can be asked here", exit_code=ExitCode.USAGE
        )
    if not typer.confirm(question, err=True):
        raise CommandError("nothing was done", exit_code=ExitCode.FAILED)
