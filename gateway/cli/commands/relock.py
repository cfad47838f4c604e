"""`penstock relock`: resolve the packages of functions anew."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.client.api_client import path_to
from gateway.cli.client.options import ApiOptions
from gateway.cli.errors import UsageError
from gateway.cli.tables import print_json


def relock(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...")] = None,
    *,
    is_all: Annotated[bool, typer.Option("--all", help="All functions with packages.")] = False,
    api: ApiOptions,
) -> None:
    """Resolve the packages of functions anew; what serves goes on until that is done."""
    if bool(names) == is_all:
        raise UsageError("give the names of functions, or --all")
    system = api.find_system()
    if is_all:
        items = system.get("/functions").json()["items"]
        files = {
            item["file"]: item["name"] for item in items if item["environment"]["state"] != "none"
        }
        chosen = list(files.values())  # one function of each file is enough
    else:
        chosen = names or []
    answers = [system.send("POST", path_to("functions", name, "relock")) for name in chosen]
    if api.as_json:
        print_json({"items": answers})
    else:
        for answer in answers:
            name = answer["function"]
            print(f"{name} is being resolved; see: penstock env show {name}")
