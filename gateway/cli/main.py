"""The `penstock` program: its table of commands, and how errors become exit codes.

A command's module has the command's name and holds one function or one `typer.Typer` of that
name. Only the module of the requested command is imported, so that `penstock --help` is fast.
A `PenstockError` is printed as one sentence on standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated

import typer

from gateway.cli.errors import exit_code_of
from gateway.cli.option_groups import spread_groups
from runtime.errors import PenstockError

_EPILOG = """
Exit codes: 0 success; 1 the function or the command failed; 2 wrong flag, argument or setting;
3 no running system answers; 4 the system refused; 5 `up` cannot start; 130 Ctrl-C.
"""


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One command: its name (also of its module and function) and its line in `--help`."""

    name: str
    summary: str


COMMANDS = (
    CommandEntry("up", "Run everything here: Redis, the gateway and the workers."),
    CommandEntry("worker", "Run one more worker process, for some queues or for all."),
    CommandEntry("new", "Create a commented function file that works at once."),
    CommandEntry("add", "Add packages to what a function file needs."),
    CommandEntry("relock", "Resolve the packages of functions anew."),
    CommandEntry("run", "Run the function of a file once, without a system."),
    CommandEntry("ls", "List the functions of a running system."),
    CommandEntry("invoke", "Call a function; wait for its result with --wait."),
    CommandEntry("batch", "Call a function once for each row of a file."),
    CommandEntry("invocations", "List invocations, newest first."),
    CommandEntry("show", "Show one invocation: error, attempts, progress, result."),
    CommandEntry("logs", "Show what an invocation has printed; follow it with -f."),
    CommandEntry("cancel", "Cancel invocations that wait or run."),
    CommandEntry("retry", "Invoke again with the same arguments."),
    CommandEntry("schedules", "List schedules; create, pause, resume, fire or delete one."),
    CommandEntry("deliveries", "List callback deliveries; send one again."),
    CommandEntry("queues", "List queues; pause, resume or purge one."),
    CommandEntry("env", "List the environments of functions; show or remove one."),
    CommandEntry("check", "Find inconsistent stored data, and repair it."),
    CommandEntry("bench", "Measure how many calls per second a function handles."),
    CommandEntry("keys", "List API keys; create or revoke them."),
    CommandEntry("publish", "Publish a worker's functions folder."),
    CommandEntry("status", "Show the state of the system, its queues and workers."),
    CommandEntry("openapi", "Print the OpenAPI document of the published functions."),
)


def _show_version(is_asked: bool) -> None:  # noqa: FBT001 - typer's signature
    if is_asked:
        from importlib.metadata import version  # noqa: PLC0415 - rarely needed

        print(f"penstock {version('penstock')}")
        raise typer.Exit


def build(asked: str | None) -> typer.Typer:
    """Return the program; only the module of the command `asked` is imported."""
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
                for subcommand in run.registered_commands:
                    subcommand.callback = subcommand.callback and spread_groups(subcommand.callback)
                program.add_typer(run, name=command.name)
            else:
                program.command(command.name)(spread_groups(run))
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
