"""`penstock schedules`: list schedules; create, pause, resume, fire or remove one."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from gateway.cli.call.arguments import JSON, read_body
from gateway.cli.client.api_client import DataOption, JsonOption, UrlOption, accept, find_system
from gateway.cli.client.lists import USUAL_LIMIT, LimitOption, ask_each, read_list
from gateway.cli.command_group import command_group
from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.tables import format_relative, note, print_json, print_table, read_clock

IdsArgument = Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of schedules.")]
schedules = command_group("List schedules; create, pause, resume, fire or remove one.")


@schedules.command("ls")
def list_schedules(
    *,
    limit: LimitOption = USUAL_LIMIT,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List schedules, including those that functions declare."""
    found = read_list(find_system(url, data), "/schedules", [], limit)
    if as_json:
        print_json({"items": found})
    elif found:
        now = read_clock()
        print_table(
            ("schedule", "function", "cron", "time zone", "next", "fired", "skipped", ""),
            [_row(item, now) for item in found],
        )
    else:
        note("No schedules yet; create one: penstock schedules create FUNCTION '0 9 * * mon-fri'")


@schedules.command()
def create(  # noqa: PLR0913 - a flag each
    function: Annotated[str, typer.Argument(help="Name of the function.")],
    cron: Annotated[
        str,
        typer.Argument(
            metavar="'CRON'",
            help="Five fields, or six with seconds first, such as '0 9 * * mon-fri'.",
        ),
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="key=value…", help="Arguments; key=@FILE sends a file's content."),
    ] = None,
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
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a schedule that invokes a function at the times of a cron line."""
    system = find_system(url, data)
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
    answer = system.ask(
        "POST", "/schedules", body=json.dumps(wanted).encode(), headers={"Content-Type": JSON}
    )
    made = accept(answer).json()
    if as_json:
        print_json(made)
        return
    print(made["id"])
    note("paused" if made["paused"] else f"next: {', '.join(made['next'])}")


@schedules.command()
def pause(
    ids: IdsArgument,
    *,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pause schedules."""
    _do("PATCH", ids, url, data, as_json=as_json, body=b'{"paused": true}', said="paused")


@schedules.command()
def resume(
    ids: IdsArgument,
    *,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Resume schedules; times that passed meanwhile are not fired."""
    _do("PATCH", ids, url, data, as_json=as_json, body=b'{"paused": false}', said="resumed")


@schedules.command()
def fire(
    ids: IdsArgument,
    *,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Invoke the functions of schedules now; prints the ids of the invocations."""
    _do("POST", ids, url, data, as_json=as_json, verb="fire")


@schedules.command()
def rm(
    ids: IdsArgument,
    *,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove schedules; invocations they have started go on."""
    _do("DELETE", ids, url, data, as_json=as_json, said="removed")


def _do(
    method: str,
    ids: list[str],
    url: str | None,
    data: Any,  # noqa: ANN401 - as typer passes it
    *,
    as_json: bool,
    verb: str = "",
    body: bytes | None = None,
    said: str = "",
) -> None:
    """Send a request for each schedule, and print the results."""
    system = find_system(url, data)
    answers, code = ask_each(system, method, ids, under="schedules", verb=verb, body=body)
    if as_json:
        print_json({"items": answers})
    else:
        for answer in answers:
            print(answer["id"], said) if said else print(answer["id"])
    if code:
        raise typer.Exit(code)


def _decoded(encoded: bytes, media_type: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        if media_type == JSON:
            return json.loads(encoded)
    except ValueError:
        pass
    raise CommandError("the arguments are not JSON", exit_code=ExitCode.USAGE)


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
