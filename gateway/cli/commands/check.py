"""`penstock check`: find inconsistencies in the stored data and, with `--repair`, repair them."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import System, path_to
from gateway.cli.client.options import ApiOptions
from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.tables import note, print_json, print_table

_SHOWN = ("kind", "id", "is", "should")
_PAUSE_S = 0.2
_PATIENCE_S = 20.0


def check(
    *,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Repair the inconsistencies that lose no data."),
    ] = False,
    api: ApiOptions,
) -> None:
    """Find inconsistencies between records, lanes, leases, indexes and counts.

    The exit code is 1 if any are left.
    """
    system = api.find_system()
    found = _await_end(system, system.send("POST", "/checks", {"repair": repair}))
    if api.as_json:
        print_json(found)
    else:
        _show(found)
    if found["left"]:
        raise typer.Exit(ExitCode.FAILED)


def _await_end(system: System, found: dict[str, Any]) -> dict[str, Any]:
    """Wait until a worker has finished the check, and return it.

    Raises:
        CommandError: No worker is alive to run it.
    """
    hopeless_at = time.monotonic() + _PATIENCE_S
    while found["state"] != "finished":
        _show_progress(found)
        if found["state"] == "waiting" and time.monotonic() > hopeless_at:
            if not system.get("/workers").json()["items"]:
                raise CommandError(
                    "no worker is alive to run the check; start one with `penstock worker`",
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
        said = "waiting for a worker" if found["state"] == "waiting" else "running"
        sys.stderr.write(f"\r\x1b[K{said}: {found['looked_at']:,} checked, {many:,} inconsistent")
        sys.stderr.flush()


def _show(found: dict[str, Any]) -> None:
    many, left = sum(found["found"].values()), sum(found["left"].values())
    if not many:
        print(f"No inconsistencies: {found['looked_at']:,} checked.")
        return
    print_table(
        ("kind", "id", "actual", "expected", ""),
        [
            (*(one[name] for name in _SHOWN), "repaired" if one["repaired"] else "")
            for one in found["findings"]
        ],
    )
    if many > len(found["findings"]):
        note(f"Only the first {len(found['findings']):,} of {many:,} are listed.")
    repaired = f"{many - left:,} repaired, {left:,} left"
    print(f"{found['looked_at']:,} checked, {many:,} inconsistent: {repaired}.")
    if left and not found["repair"]:
        note("`penstock check --repair` repairs them.")
