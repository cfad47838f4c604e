"""What command groups share, such as `penstock queues pause`: their parser, and confirmation.

The module of a group holds a `typer.Typer` of the group's name. Without a subcommand, or if the
first word is a flag, the group runs `ls`, so that `penstock deliveries --status failed` works.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gateway.cli.errors import CommandError, ExitCode, UsageError

DEFAULT = "ls"


class ListsByDefault(TyperGroup):
    """Runs `ls` if no subcommand is given."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
        """Insert the default subcommand before flags."""
        asks_help = any(word in ctx.help_option_names for word in args[:1])
        if (not args or args[0].startswith("-")) and not asks_help:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


def command_group(summary: str) -> typer.Typer:
    """Return an empty group; a docstring is required for each command that is added."""
    return typer.Typer(
        cls=ListsByDefault,
        help=f"{summary}\n\nWithout a subcommand, lists.",
        rich_markup_mode=None,
    )


YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def confirm(question: str, *, yes: bool) -> None:
    """Ask a yes-or-no question on the terminal; return if the answer is yes.

    Raises:
        CommandError: The answer is no, or standard input is not a terminal.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{question} There is no terminal to ask on; confirm with --yes")
    if not typer.confirm(question, err=True):
        raise CommandError("not confirmed; nothing was changed", exit_code=ExitCode.FAILED)
