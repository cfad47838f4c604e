"""The function files that commands write: their names, places and blocks."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.errors import CommandError, ExitCode
from runtime.dependencies.uv_commands import add_command, find_uv
from runtime.dependencies.uv_configuration import configure, mask
from runtime.settings import read_environment, read_settings

FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--functions",
        metavar="FOLDER",
        help="Folder with the function files. [env: PENSTOCK_FUNCTIONS; default: functions]",
        show_default=False,
    ),
]

# `uv add` writes the indexes of the first ones into the file: those of this machine do not belong
# there. It reads the others and leaves it at that.
_UNWRITTEN = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}


def file_of(name: str, functions: Path | None) -> Path:
    """Return the path of the file that a function name stands for."""
    path = read_settings(functions=functions).functions.joinpath(*name.split("."))
    return path.with_name(path.name + ".py")


def add_packages(path: Path, packages: Sequence[str]) -> None:
    """Add packages to the block of a file, which is made if there is none.

    Raises:
        CommandError: uv is not installed, or refuses.
    """
    uv = find_uv()
    if uv is None:
        text = "uv is needed to add packages: pip install 'penstock[dependencies]'"
        raise CommandError(text, exit_code=ExitCode.FAILED)
    configuration = configure(read_environment(), source=read_settings().dependencies_config)
    variables = dict(configuration.environment)
    for name, unwritten in _UNWRITTEN.items():
        if index := variables.pop(name, ""):
            variables[unwritten] = index
    done = subprocess.run(  # noqa: S603 - our own command line
        [*add_command(uv, path, packages), *configuration.arguments],
        env=variables,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        text = f"{path} was not changed:\n{mask(done.stderr.strip())}"
        raise CommandError(text, exit_code=ExitCode.FAILED)
