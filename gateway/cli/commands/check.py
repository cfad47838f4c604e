"""`penstock check`: compare everything that the system holds, and mend what does not fit."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import (
    DataOption,
    JsonOption,
    System,
    UrlOption,
    accept,
    find_system,
    path_to,
)
from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.tables import note, print_json, print_table

_PAUSE_S = 0.2
_PATIENCE_S = 20.0


def check(
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what does not fit, where that loses nothing.")
    ] = False,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare records, lanes, leases, indexes and counts; exit code 1 if something is left."""
    system = find_system(url, data)
    body = b'{"repair":true}' if repair else b"{}"
    headers = {"Content-Type": "application/json"}
    asked = accept(system.ask("POST", "/checks", body=body, headers=headers)).json()
    found = _await_end(system, asked)
    if as_json:
        print_json(found)
    else:
        _show(found)
    if found["left"]:
        raise typer.Exit(ExitCode.FAILED)


def _await_end(system: System, found: dict[str, Any]) -> dict[str, Any]:
    """Return the check when it has come to its end.

    Raises:
        CommandError: No worker lives that could run it.
    """
    hopeless_at = time.monotonic() + _PATIENCE_S
    while found["state"] != "finished":
        _show_progress(found)
        if found["state"] == "waiting" and time.monotonic() > hopeless_at:
            if not system.get("/workers").json()["items"]:
                raise CommandError(
                    "no worker lives that could run the check; start one with `penstock worker`",
                    exit_code=ExitCode.UNREACHABLE,
                )
            hopeless_at = time.monotonic() + _PATIENCE_S
        time.sleep(_PAUSE_S)
        found = system.get(path_to("checks", found["id"])).json()
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    return found


def _show_progress(found: dict[str, Any]) -> None:
    if sys.stderr.isatty():
        many = sum(found["found"].values())
        said = "waits for a worker" if found["state"] == "waiting" else "runs"
        sys.stderr.write(f"\r\x1b[K{said}: {found['looked_at']:,} compared, {many:,} do not fit")
        sys.stderr.flush()


def _show(found: dict[str, Any]) -> None:
    many, left = sum(found["found"].values()), sum(found["left"].values())
    if not many:
        print(f"All fits: {found['looked_at']:,} compared.")
        return
    print_table(
        ("kind", "id", "is", "should be", ""),
        [
            (one["kind"], one["id"], one["is"], one["should"], "mended" if one["repaired"] else "")
            for one in found["findings"]
        ],
    )
    if many > len(found["findings"]):
        note(f"The first {len(found['findings']):,} of {many:,} are shown.")
    mended = f"{many - left:,} mended, {left:,} left"
    print(f"{found['looked_at']:,} compared, {many:,} do not fit: {mended}.")
    if left and not found["repair"]:
        note("`penstock check --repair` mends them.")
