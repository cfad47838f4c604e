"""The options of the commands that use the HTTP API: which system, and how to print."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.client.api_client import System, find_system

UrlOption = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="Base URL of the system.", show_default=False),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FOLDER",
        help="Data folder of a running `up`. [env: PENSTOCK_DATA; default: .penstock]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """The options of nearly every command, as one group (`gateway.cli.option_groups`)."""

    url: UrlOption = None
    data: DataOption = None
    as_json: JsonOption = False

    def find_system(self) -> System:
        """Return the system that the options select."""
        return find_system(self.url, self.data)
