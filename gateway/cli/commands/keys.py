"""`penstock keys`: create, list and revoke API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from gateway.cli.client.key_stores import open_key_store
from gateway.cli.client.lists import act_on_each, report_each
from gateway.cli.client.options import ApiOptions
from gateway.cli.command_group import command_group
from gateway.cli.tables import format_relative, note, print_json, print_list

keys = command_group("List API keys; create or revoke them.")


@keys.command("ls")
def list_keys(*, api: ApiOptions) -> None:
    """List keys, without their secrets."""
    with open_key_store(api.url, api.data) as place:
        found = place.list()
    none = "No keys yet; create one: penstock keys create --name me --scope admin"
    columns = ("id", "name", "scopes", "rate", "last used", "expires")
    print_list(found, columns, _row, none=none, as_json=api.as_json)


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
    api: ApiOptions,
) -> None:
    """Create a key; it is printed once and cannot be shown again."""
    wanted: dict[str, Any] = {"name": name, "scopes": scope}
    if rate is not None:
        wanted["rate"] = rate
    if expires is not None:
        wanted["expires_in"] = expires
    if new_callback_secret:
        wanted["new_callback_secret"] = True
    with open_key_store(api.url, api.data) as place:
        made = place.create(wanted)
    if api.as_json:
        print_json(made)
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
    api: ApiOptions,
) -> None:
    """Revoke keys; every gateway refuses them at once."""
    with open_key_store(api.url, api.data) as place:

        def revoke_one(key_id: str) -> dict[str, Any]:
            place.revoke(key_id)
            return {"id": key_id}

        answered = act_on_each(ids, revoke_one)
    report_each(answered, lambda one: f"{one['id']} revoked", as_json=api.as_json)


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
