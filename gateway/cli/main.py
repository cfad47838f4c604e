"""`penstock`: the table of commands, and how every one of them ends.

A command is a function, or a group of them, in a module of its own, imported only when
it is asked for, so that `penstock --help` is instant. Errors of ours become one
sentence on stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated

import typer

from gateway.cli.errors import exit_code_of
from runtime.errors import PenstockError

_EPILOG = """
Exit codes: 0 done; 1 the function failed; 2 wrong flag, argument or setting;
3 no running system answers; 4 the system refused; 5 `up` cannot start; 130 Ctrl-C.
"""


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command: its name, also of its module and of the function or group there; a sentence."""

    name: str
    summary: str


COMMANDS = (
    CommandEntry("up", "Run everything here: Redis, the gateway and the workers."),
    CommandEntry("worker", "Run one more worker process, for some queues or for all."),
    CommandEntry("new", "Write a commented function file that works at once."),
    CommandEntry("ls", "List the functions of a running system."),
    CommandEntry("invoke", "Call a function, and wait for its result if you like."),
    CommandEntry("batch", "Call a function once for every line of a file."),
    CommandEntry("invocations", "List what was called, newest first."),
    CommandEntry("show", "Show one invocation: error, attempts, progress."),
    CommandEntry("logs", "Show what a function printed, also while it runs."),
    CommandEntry("cancel", "End invocations that wait or run."),
    CommandEntry("retry", "Invoke again with the same arguments."),
    CommandEntry("schedules", "See what is invoked when; make, pause or fire a schedule."),
    CommandEntry("deliveries", "See what became of callbacks, and send one again."),
    CommandEntry("queues", "See how full queues are; pause, resume or empty one."),
    CommandEntry("check", "Compare all that is stored, and mend what does not fit."),
    CommandEntry("bench", "Measure how many calls a second a function takes."),
    CommandEntry("keys", "Make, list and revoke the keys that callers show."),
    CommandEntry("publish", "Publish the functions folder of a worker."),
    CommandEntry("status", "Show what runs, and whether it is well."),
    CommandEntry("openapi", "Print the OpenAPI document of the live functions."),
)


def _show_version(is_asked: bool) -> None:  # noqa: FBT001 - typer's signature
    if is_asked:
        from importlib.metadata import version  # noqa: PLC0415 - seldom needed

        print(f"penstock {version('penstock')}")
        raise typer.Exit


def build(asked: str | None) -> typer.Typer:
    """Return the program; only the command that is asked for is imported."""
    program = typer.Typer(
        name="penstock",
        help="A function gateway over a queue: a Python file in, an HTTP endpoint out.",
        epilog=_EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    program.callback()(_root)
    for command in COMMANDS:
        if command.name == asked:
            run = getattr(import_module(f"gateway.cli.commands.{command.name}"), command.name)
            if isinstance(run, typer.Typer):
                program.add_typer(run, name=command.name)
            else:
                program.command(command.name)(run)
        else:
            program.command(command.name, help=command.summary)(_stand_in())
    return program


def main() -> None:
    """Run the command line and exit."""
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    try:
        build(asked)()
    except PenstockError as error:
        print(f"penstock: {error}", file=sys.stderr)
        sys.exit(exit_code_of(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


def _root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_show_version),
    ] = False,
) -> None:
    """A function gateway over a queue: a Python file in, an HTTP endpoint out."""


def _stand_in() -> Callable[[], None]:
    def not_asked_for() -> None: ...

    return not_asked_for


if __name__ == "__main__":
    main()
