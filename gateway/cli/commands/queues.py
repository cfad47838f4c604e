"""`penstock queues`: list queues; pause, resume or purge one."""

from __future__ import annotations

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
from gateway.cli.command_group import YesOption, command_group, confirm
from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.tables import format_duration, print_json, print_table

NameArgument = Annotated[str, typer.Argument(metavar="QUEUE", help="Name of the queue.")]
queues = command_group("List queues; pause, resume or purge one.")


@queues.command("ls")
def list_queues(
    *, url: UrlOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List queues."""
    listing = find_system(url, data).get("/queues").json()
    if as_json:
        print_json(listing)
    else:
        print_queues(listing["items"])


@queues.command()
def pause(
    name: NameArgument,
    *,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pause a queue: nothing in it starts; running attempts go on."""
    _set_paused(find_system(url, data), name, is_paused=True, as_json=as_json)


@queues.command()
def resume(
    name: NameArgument,
    *,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Resume a paused queue."""
    _set_paused(find_system(url, data), name, is_paused=False, as_json=as_json)


@queues.command()
def purge(
    name: NameArgument,
    *,
    yes: YesOption = False,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel all waiting invocations in a queue."""
    system = find_system(url, data)
    if not yes:
        found = {item["name"]: item for item in system.get("/queues").json()["items"]}
        if name not in found:
            raise CommandError(
                f"no queue {name!r}; existing queues: {', '.join(found) or 'none'}",
                exit_code=ExitCode.REFUSED,
            )
        waiting = found[name]["depth"] + found[name]["scheduled"]
        confirm(f"Cancel {waiting:,} waiting invocations in {name}?", yes=False)
    answer = accept(system.ask("DELETE", path_to("queues", name, "invocations"))).json()
    if as_json:
        print_json(answer)
    else:
        print(f"{answer['cancelled']:,} cancelled")


def print_queues(items: list[dict[str, Any]]) -> None:
    """Print queues as a table."""
    print_table(
        ("queue", "waiting", "scheduled", "running", "oldest", "workers", ""),
        [
            (
                item["name"],
                item["depth"],
                item["scheduled"],
                item["in_flight"],
                format_duration(item["oldest_ms"]),
                _count(item["workers"]),
                "paused" if item["paused"] else "",
            )
            for item in items
        ],
    )


def _count(workers: Any) -> object:  # noqa: ANN401 - a number, or their names
    return len(workers) if isinstance(workers, list) else workers


def _set_paused(system: System, name: str, *, is_paused: bool, as_json: bool) -> None:
    body = b'{"paused": true}' if is_paused else b'{"paused": false}'
    answer = system.ask(
        "PATCH",
        path_to("queues", name),
        body=body,
        headers={"Content-Type": "application/json"},
    )
    queue = accept(answer).json()
    if as_json:
        print_json(queue)
    else:
        state = "is paused" if queue["paused"] else "is running"
        print(f"{name} {state}; {queue['depth']:,} waiting")
