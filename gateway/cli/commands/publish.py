"""`penstock publish`: publish a worker's functions folder in place of what is published.

Needed when a worker's folder differs from what is published. Such a worker replaces nothing by
itself, because its folder may be an old checkout or a missing mount.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import path_to
from gateway.cli.client.options import ApiOptions
from gateway.cli.errors import CommandError, ExitCode, UsageError
from gateway.cli.tables import print_json


def publish(
    *,
    worker: Annotated[
        str | None,
        typer.Option(
            "--worker",
            metavar="ID",
            help="Id of the worker (`penstock status`); needed if several workers' folders differ.",
        ),
    ] = None,
    withdraw_missing: Annotated[
        bool,
        typer.Option(
            "--withdraw-missing",
            help="Also withdraw published functions that are not in the folder.",
        ),
    ] = False,
    api: ApiOptions,
) -> None:
    """Publish a worker's functions folder, and its changes from now on."""
    system = api.find_system()
    chosen = worker or _choose(system.get("/workers").json()["items"])
    query = [("withdraw_missing", str(withdraw_missing).lower())]
    answer = system.send("POST", path_to("workers", chosen, "publish"), query=query)
    if api.as_json:
        print_json(answer)
    else:
        print(f"{answer['worker']} now publishes its folder; see penstock status")


def _choose(workers: Sequence[dict[str, Any]]) -> str:
    """Return the worker to publish: the only one, or the one whose folder differs."""
    differing = [one for one in workers if one["functions"]["state"] in {"differs", "empty"}]
    if not workers:
        raise CommandError("no worker is alive", exit_code=ExitCode.REFUSED)
    folders = {(one["host"], one["functions"]["folder"]) for one in differing or workers}
    if len(folders) == 1:
        chosen = (differing or workers)[0]
        return str(chosen["id"])
    names = ", ".join(one["id"] for one in differing or workers)
    raise UsageError(f"several folders could be published; choose one with --worker: {names}")
