"""`penstock keys`: create, list and revoke API keys."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import DataOption, JsonOption, UrlOption
from gateway.cli.client.key_stores import open_key_store
from gateway.cli.command_group import command_group
from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.tables import format_relative, note, print_json, print_table, read_clock

keys = command_group("List API keys; create or revoke them.")


@keys.command("ls")
def list_keys(
    *, url: UrlOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List keys, without their secrets."""
    with open_key_store(url, data) as place:
        found = place.list()
    if as_json:
        print_json({"items": found})
    elif found:
        now = read_clock()
        print_table(
            ("id", "name", "scopes", "rate", "last used", "expires"),
            [_row(item, now) for item in found],
        )
    else:
        note("No keys yet; create one: penstock keys create --name me --scope admin")


@keys.command()
def create(
    *,
    name: Annotated[
        str,
        typer.Option(
            "--name", metavar="NAME", help="Name of the caller. Keys of one name are one caller."
        ),
    ],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="invoke:FUNCTION, invoke:PREFIX.*, invoke:*, read, operate or admin; may be "
            "repeated.",
        ),
    ],
    rate: Annotated[
        str | None,
        typer.Option("--rate", metavar="N/TIME", help="Rate limit of the caller, such as 100/m."),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="TIME", help="Expire after this time, such as 90d."),
    ] = None,
    new_callback_secret: Annotated[
        bool,
        typer.Option(
            "--new-callback-secret",
            help="Sign this caller's callbacks with a new secret, and with the previous one too.",
        ),
    ] = False,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a key; it is printed once and cannot be shown again."""
    wanted: dict[str, Any] = {"name": name, "scopes": scope}
    if rate is not None:
        wanted["rate"] = rate
    if expires is not None:
        wanted["expires_in"] = expires
    if new_callback_secret:
        wanted["new_callback_secret"] = True
    with open_key_store(url, data) as place:
        made = place.create(wanted)
    if as_json:
        print(json.dumps(made, ensure_ascii=False, indent=2))
        return
    print(made["key"])
    until = f"until {made['expires_at']}" if made["expires_at"] else "until it is revoked"
    note(f"Key {made['id']} of {name}, valid {until}. It cannot be shown again.")
    if made["callback_secret"]:
        note(f"Callbacks to {name} are signed with {made['callback_secret']}")


@keys.command()
def revoke(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of keys.")],
    *,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Revoke keys; every gateway refuses them at once."""
    done, code = [], ExitCode.OK
    with open_key_store(url, data) as place:
        for one in dict.fromkeys(ids):
            try:
                place.revoke(one)
                done.append({"id": one})
            except CommandError as error:
                if error.exit_code != ExitCode.REFUSED:
                    raise
                note(f"penstock: {one}: {error}")
                code = ExitCode.REFUSED
    if as_json:
        print_json({"items": done})
    else:
        for each in done:
            print(each["id"], "revoked")
    if code:
        raise typer.Exit(code)


def _row(item: dict[str, Any], now: datetime) -> tuple[object, ...]:
    used, ends = item["last_used_at"], item["expires_at"]
    expiry = format_relative(ends, now) if ends else "never"
    return (
        item["id"],
        item["name"],
        " ".join(item["scopes"]),
        item["rate"] or "",
        format_relative(used, now) if used else "never",
        f"{expiry} (expired)" if item["expired"] else expiry,
    )
