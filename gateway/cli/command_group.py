"""A command of several words, such as `penstock queues pause`: a group of commands.

Its module holds a `typer.Typer` of the command's name. Without a further word, or with
a flag first, the group does `ls`, so that `penstock deliveries --status failed` works.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gateway.cli.errors import CommandError, ExitCode

DEFAULT = "ls"


class ListsByDefault(TyperGroup):
    """Takes `ls` as said where no command is."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
        """Put the default word before flags."""
        asks_help = any(word in ctx.help_option_names for word in args[:1])
        if (not args or args[0].startswith("-")) and not asks_help:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


def command_group(summary: str) -> typer.Typer:
    """Return a group without commands; every one that is added must have a docstring."""
    return typer.Typer(
        cls=ListsByDefault,
        help=f"{summary}\n\nWithout a further word it lists.",
        rich_markup_mode=None,
    )


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
