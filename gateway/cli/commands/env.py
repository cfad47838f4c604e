"""`penstock env`: list the environments of functions; show or remove one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import path_to
from gateway.cli.client.options import ApiOptions
from gateway.cli.command_group import command_group
from gateway.cli.tables import print_json, print_table

_MIB = 1024 * 1024
env = command_group("List the environments of functions; show or remove one.")


@env.command("ls")
def list_environments(*, api: ApiOptions) -> None:
    """List environments."""
    listing = api.find_system().get("/environments").json()
    if api.as_json:
        print_json(listing)
        return
    print_table(
        ("environment", "python", "packages", "size", "last used", "functions"),
        [
            (
                item["key"],
                item["python"],
                item["packages"],
                f"{item['bytes'] / _MIB:,.0f} MiB",
                item["last_used_at"] or "",
                ", ".join(item["functions"]) or "none",
            )
            for item in listing["items"]
        ],
    )


@env.command()
def show(
    name: Annotated[str, typer.Argument(metavar="FUNCTION", help="Name of a function.")],
    *,
    api: ApiOptions,
) -> None:
    """Show the environment of a function and what is installed in it."""
    function = api.find_system().get(path_to("functions", name)).json()
    shown = {"environment": function["environment"], "dependencies": function["dependencies"]}
    if api.as_json:
        print_json(shown)
        return
    print(describe_environment(function["environment"]))
    print_table(
        ("package", "version"), [(each["name"], each["version"]) for each in shown["dependencies"]]
    )


@env.command()
def rm(
    key: Annotated[str, typer.Argument(help="Key of the environment, as `ls` shows it.")],
    *,
    api: ApiOptions,
) -> None:
    """Remove an environment in which no function runs."""
    api.find_system().send("DELETE", path_to("environments", key))
    print(f"{key} is being removed")


@env.command()
def gc(*, api: ApiOptions) -> None:
    """Remove all environments in which no function runs."""
    system = api.find_system()
    items = system.get("/environments").json()["items"]
    unused = [item["key"] for item in items if not item["functions"]]
    for key in unused:
        system.send("DELETE", path_to("environments", key))
    if api.as_json:
        print_json({"items": unused})
    else:
        print(f"{len(unused)} of {len(items)} environments are being removed")


def describe_environment(environment: dict[str, Any]) -> str:
    """Return what becomes of an environment, in a line."""
    state = environment["state"]
    if state == "none":
        return "It needs no packages; it runs in Penstock's own environment."
    if state in {"resolving", "building"}:
        return f"{state} ({environment['seconds']:.0f} s)"
    if state == "failed":
        return f"failed: {environment['message']}"
    return f"{environment['key']}, Python {environment['python']}, ready"
