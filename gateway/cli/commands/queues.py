"""`penstock queues`: list queues; pause, resume or purge one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import path_to
from gateway.cli.client.options import ApiOptions
from gateway.cli.command_group import YesOption, command_group, confirm
from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.tables import format_duration, print_json, print_table

NameArgument = Annotated[str, typer.Argument(metavar="QUEUE", help="Name of the queue.")]
queues = command_group("List queues; pause, resume or purge one.")


@queues.command("ls")
def list_queues(*, api: ApiOptions) -> None:
    """List queues."""
    listing = api.find_system().get("/queues").json()
    if api.as_json:
        print_json(listing)
    else:
        print_queues(listing["items"])


@queues.command()
def pause(name: NameArgument, *, api: ApiOptions) -> None:
    """Pause a queue: nothing in it starts; running attempts go on."""
    _set_paused(api, name, is_paused=True)


@queues.command()
def resume(name: NameArgument, *, api: ApiOptions) -> None:
    """Resume a paused queue."""
    _set_paused(api, name, is_paused=False)


@queues.command()
def purge(name: NameArgument, *, yes: YesOption = False, api: ApiOptions) -> None:
    """Cancel all waiting invocations in a queue."""
    system = api.find_system()
    if not yes:
        found = {item["name"]: item for item in system.get("/queues").json()["items"]}
        if name not in found:
            raise CommandError(
                f"no queue {name!r}; existing queues: {', '.join(found) or 'none'}",
                exit_code=ExitCode.REFUSED,
            )
        waiting = found[name]["depth"] + found[name]["scheduled"]
        confirm(f"Cancel {waiting:,} waiting invocations in {name}?", yes=False)
    answer = system.send("DELETE", path_to("queues", name, "invocations"))
    if api.as_json:
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


def _set_paused(api: ApiOptions, name: str, *, is_paused: bool) -> None:
    queue = api.find_system().send("PATCH", path_to("queues", name), {"paused": is_paused})
    if api.as_json:
        print_json(queue)
    else:
        state = "is paused" if queue["paused"] else "is running"
        print(f"{name} {state}; {queue['depth']:,} waiting")
