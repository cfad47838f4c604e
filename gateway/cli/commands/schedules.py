"""`penstock schedules`: list schedules; create, pause, resume, fire or remove one."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from gateway.cli.call.arguments import JSON, read_body
from gateway.cli.call.options import NameArgument, WordsArgument
from gateway.cli.client.lists import USUAL_LIMIT, LimitOption, ask_each, read_list, report_each
from gateway.cli.client.options import ApiOptions
from gateway.cli.command_group import command_group
from gateway.cli.errors import UsageError
from gateway.cli.tables import format_relative, note, print_json, print_list

IdsArgument = Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of schedules.")]
schedules = command_group("List schedules; create, pause, resume, fire or remove one.")


@schedules.command("ls")
def list_schedules(*, limit: LimitOption = USUAL_LIMIT, api: ApiOptions) -> None:
    """List schedules, including those that functions declare."""
    found = read_list(api.find_system(), "/schedules", [], limit)
    none = "No schedules yet; create one: penstock schedules create FUNCTION '0 9 * * mon-fri'"
    columns = ("schedule", "function", "cron", "time zone", "next", "fired", "skipped", "")
    print_list(found, columns, _row, none=none, as_json=api.as_json)


@schedules.command()
def create(  # noqa: PLR0913 - a flag each
    function: NameArgument,
    cron: Annotated[
        str,
        typer.Argument(
            metavar="'CRON'",
            help="Five fields, or six with seconds first, such as '0 9 * * mon-fri'.",
        ),
    ],
    arguments: WordsArgument = None,
    *,
    timezone: Annotated[
        str, typer.Option("--timezone", metavar="ZONE", help="Time zone, such as Europe/Berlin.")
    ] = "UTC",
    no_overlap: Annotated[
        bool,
        typer.Option("--no-overlap", help="Skip a time if the last invocation has not finished."),
    ] = False,
    catch_up: Annotated[
        bool,
        typer.Option("--catch-up", help="Fire the times missed while no worker ran, too."),
    ] = False,
    paused: Annotated[bool, typer.Option("--paused", help="Create it paused.")] = False,
    body: Annotated[
        str | None,
        typer.Option("--arguments", metavar="JSON|@FILE", help="All arguments, as JSON."),
    ] = None,
    api: ApiOptions,
) -> None:
    """Create a schedule that invokes a function at the times of a cron line."""
    system = api.find_system()
    encoded, media_type = read_body(system, function, arguments or [], body)
    wanted = {
        "function": function,
        "cron": cron,
        "timezone": timezone,
        "arguments": _decoded(encoded, media_type),
        "overlap": not no_overlap,
        "catch_up": catch_up,
        "paused": paused,
    }
    made = system.send("POST", "/schedules", wanted)
    if api.as_json:
        print_json(made)
        return
    print(made["id"])
    note("paused" if made["paused"] else f"next: {', '.join(made['next'])}")


@schedules.command()
def pause(ids: IdsArgument, *, api: ApiOptions) -> None:
    """Pause schedules."""
    _do(api, "PATCH", ids, body=b'{"paused": true}', said="paused")


@schedules.command()
def resume(ids: IdsArgument, *, api: ApiOptions) -> None:
    """Resume schedules; times that passed meanwhile are not fired."""
    _do(api, "PATCH", ids, body=b'{"paused": false}', said="resumed")


@schedules.command()
def fire(ids: IdsArgument, *, api: ApiOptions) -> None:
    """Invoke the functions of schedules now; prints the ids of the invocations."""
    _do(api, "POST", ids, verb="fire")


@schedules.command()
def rm(ids: IdsArgument, *, api: ApiOptions) -> None:
    """Remove schedules; invocations they have started go on."""
    _do(api, "DELETE", ids, said="removed")


def _do(
    api: ApiOptions,
    method: str,
    ids: list[str],
    *,
    verb: str = "",
    body: bytes | None = None,
    said: str = "",
) -> None:
    """Send a request for each schedule, and print the results."""
    answered = ask_each(api.find_system(), method, ids, under="schedules", verb=verb, body=body)
    report_each(answered, lambda one: f"{one['id']} {said}".rstrip(), as_json=api.as_json)


def _decoded(encoded: bytes, media_type: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        if media_type == JSON:
            return json.loads(encoded)
    except ValueError:
        pass
    raise UsageError("the arguments are not JSON")


def _row(item: dict[str, Any], now: datetime) -> tuple[object, ...]:
    upcoming = item["next"]
    state = "paused" if item["paused"] else ""
    return (
        item["id"],
        item["function"],
        item["cron"],
        item["timezone"],
        format_relative(upcoming[0], now) if upcoming else "",
        item["fired"],
        item["skipped"],
        state,
    )
