"""`penstock openapi`: print the OpenAPI document of the published functions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.client.api_client import find_system
from gateway.cli.client.options import DataOption, UrlOption


def openapi(
    *,
    yaml: Annotated[bool, typer.Option("--yaml", help="Print YAML instead of JSON.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write it to FILE.", show_default=False
        ),
    ] = None,
    url: UrlOption = None,
    data: DataOption = None,
) -> None:
    """Print the OpenAPI document of the published functions."""
    document = find_system(url, data).get("/openapi.yaml" if yaml else "/openapi.json").body
    if output is not None:
        output.write_bytes(document)
        return
    sys.stdout.buffer.write(document.rstrip(b"\n") + b"\n")
    sys.stdout.buffer.flush()
