"""`penstock new`: create a commented function file that works at once."""

from __future__ import annotations

import keyword
import re
from typing import Annotated

import typer

from gateway.cli.errors import CommandError, ExitCode, UsageError
from gateway.cli.function_files import FolderOption, add_packages, file_of
from gateway.cli.tables import note

_NAME = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")
_LONGEST_NAME = 128

_TEMPLATE = '''"""{title}: what this file is for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field


def {short}(text: str, times: Annotated[int, Field(ge=1, le=100)] = 1) -> dict[str, object]:
    """Say in one line what the function does; this line appears in the documentation.

    The parameters are the members of the JSON body. They are validated against their types
    before the call is queued. The return value becomes the result.

    Args:
        text: The text to repeat.
        times: How many times.
    """
    return {{"text": " ".join([text] * times), "characters": len(text) * times}}


# To set options, put this above the function:
#
#     from penstock import function
#
#     @function(timeout="30s", retries=2, concurrency=4)
#
# For the call's id and attempt, or to report progress, add a parameter `ctx: Context`
# (from penstock import Context): ctx.id, ctx.attempt, ctx.progress(done, total).
#
# Write `async def` for a function that waits for an API or a database: one process then runs
# up to 100 calls of it at the same time (@function(per_process=…) sets the number).
#
# To receive bytes, annotate a parameter with `bytes`. To be run again later, raise
# Retry(after="1m"); to fail for good, raise Reject("reason"). Both are in penstock.
#
# In a test: `from penstock.testing import call`, then
# `call("{path}", text="a", times=2)` checks and runs it as Penstock would.
'''


def new(
    name: Annotated[str, typer.Argument(help="Name of the function, such as report.monthly.")],
    *,
    functions: FolderOption = None,
    packages: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="PACKAGE", help="A package that it needs; may be repeated."),
    ] = None,
) -> None:
    """Create a commented function file that works at once."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise UsageError(
            f"{name!r} is not a function name: use lower-case letters, digits and _ in parts "
            "separated by dots; no part starts with a digit; at most "
            f"{_LONGEST_NAME} characters"
        )
    if any(part.startswith("_") for part in name.split(".")):
        raise UsageError(
            f"{name!r} would not be published: files and folders whose names start with _ are "
            "helpers"
        )
    short = name.rpartition(".")[2]
    if keyword.iskeyword(short):
        raise UsageError(f"{short!r} is a Python keyword and cannot be the name of a function")
    path = file_of(name, functions)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            title = short.replace("_", " ").capitalize()
            file.write(_TEMPLATE.format(title=title, short=short, path=path.as_posix()))
    except OSError as error:
        what = "it already exists" if isinstance(error, FileExistsError) else error.strerror
        raise CommandError(f"cannot write {path}: {what}", exit_code=ExitCode.FAILED) from error
    if packages:
        add_packages(path, packages)
    print(path)
    note(f"Try it:  penstock run {path} text=hello times=2")
    note(f"Call it on a running system:  penstock invoke {name} text=hello times=2 --wait")
