"""`penstock publish`: have a worker's functions folder published, whatever is published now.

Needed where another folder than the one published last takes over: such a worker replaces
nothing by itself, as its folder may be an old checkout or a mount that is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import (
    DataOption,
    JsonOption,
    UrlOption,
    accept,
    find_system,
    path_to,
)
from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.tables import print_json


def publish(
    *,
    worker: Annotated[
        str | None,
        typer.Option(
            "--worker",
            metavar="ID",
            help="Whose folder: an id of `penstock status`; needed where several differ.",
        ),
    ] = None,
    withdraw_missing: Annotated[
        bool,
        typer.Option(
            "--withdraw-missing", help="Withdraw what is published and not in that folder."
        ),
    ] = False,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish the functions folder of a worker, from now on."""
    system = find_system(url, data)
    chosen = worker or _choose(system.get("/workers").json()["items"])
    answer = accept(
        system.ask(
            "POST",
            path_to("workers", chosen, "publish"),
            query=[("withdraw_missing", str(withdraw_missing).lower())],
        )
    ).json()
    if as_json:
        print_json(answer)
    else:
        print(f"{answer['worker']} publishes its folder from now on; see penstock status")


def _choose(workers: Sequence[dict[str, Any]]) -> str:
    """Return the worker that is meant: the only one there is, or whose folder differs."""
    differing = [one for one in workers if one["functions"]["state"] in {"differs", "empty"}]
    if not workers:
        raise CommandError("no worker is alive", exit_code=ExitCode.REFUSED)
    folders = {(one["host"], one["functions"]["folder"]) for one in differing or workers}
    if len(folders) == 1:
        chosen = (differing or workers)[0]
        return str(chosen["id"])
    names = ", ".join(one["id"] for one in differing or workers)
    raise CommandError(f"say whose folder, by --worker: {names}", exit_code=ExitCode.USAGE)
