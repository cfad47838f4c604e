"""`penstock schedules`: what is invoked when; make, pause, resume, fire and remove schedules."""

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

IdsArgument = Annotated[list[str], typer.Argument(metavar="ID…", help="Which schedules.")]
schedules = command_group("See what is invoked when; make, pause or fire a schedule.")


@schedules.command("ls")
def list_schedules(
    *,
    limit: LimitOption = USUAL_LIMIT,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List schedules, functions' own ones too."""
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
        note("No schedules yet: penstock schedules create FUNCTION '0 9 * * mon-fri'")


@schedules.command()
def create(  # noqa: PLR0913 - a word for each flag
    function: Annotated[str, typer.Argument(help="Which function.")],
    cron: Annotated[
        str,
        typer.Argument(
            metavar="'CRON'", help="Five fields, or six with the seconds first: '0 9 * * mon-fri'."
        ),
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="key=value…", help="Arguments; key=@file for a file's content."),
    ] = None,
    *,
    timezone: Annotated[
        str, typer.Option("--timezone", metavar="ZONE", help="Such as Europe/Berlin.")
    ] = "UTC",
    no_overlap: Annotated[
        bool, typer.Option("--no-overlap", help="Skip while the last invocation has not ended.")
    ] = False,
    catch_up: Annotated[
        bool, typer.Option("--catch-up", help="Make up for moments at which no worker ran.")
    ] = False,
    paused: Annotated[bool, typer.Option("--paused", help="Do not begin yet.")] = False,
    body: Annotated[
        str | None,
        typer.Option("--arguments", metavar="JSON|@FILE", help="All arguments as JSON."),
    ] = None,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have a function invoked whenever a cron line says."""
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
    """Let schedules rest."""
    _do("PATCH", ids, url, data, as_json=as_json, body=b'{"paused": true}', said="rests")


@schedules.command()
def resume(
    ids: IdsArgument,
    *,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let schedules go on; what they would have fired meanwhile is not made up for."""
    _do("PATCH", ids, url, data, as_json=as_json, body=b'{"paused": false}', said="goes on")


@schedules.command()
def fire(
    ids: IdsArgument,
    *,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Invoke schedules' functions now; prints the ids of the invocations."""
    _do("POST", ids, url, data, as_json=as_json, verb="fire")


@schedules.command()
def rm(
    ids: IdsArgument,
    *,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove schedules; what they have invoked goes on."""
    _do("DELETE", ids, url, data, as_json=as_json, said="removed")


def _do(
    method: str,
    ids: list[str],
    url: str | None,
    data: Any,  # noqa: ANN401 - as typer gives it
    *,
    as_json: bool,
    verb: str = "",
    body: bytes | None = None,
    said: str = "",
) -> None:
    """Ask for each schedule, and tell what came of it."""
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
