"""`penstock add`: add packages to what a function file needs."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.function_files import FolderOption, add_packages, file_of


def add(
    name: Annotated[str, typer.Argument(help="Name of the function, such as report.monthly.")],
    packages: Annotated[
        list[str], typer.Argument(help="Packages, such as pandas or 'httpx>=0.28'.")
    ],
    *,
    functions: FolderOption = None,
) -> None:
    """Add packages to what a function file needs; a running system installs them at once."""
    path = file_of(name, functions)
    if not path.is_file():
        text = f"there is no {path}; create it: penstock new {name} --with {packages[0]}"
        raise CommandError(text, exit_code=ExitCode.FAILED)
    add_packages(path, packages)
    print(path)
