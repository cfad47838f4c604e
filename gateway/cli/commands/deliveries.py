"""`penstock deliveries`: list callback deliveries, show their attempts, send one again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import DataOption, JsonOption, UrlOption, find_system, path_to
from gateway.cli.client.lists import USUAL_LIMIT, LimitOption, ask_each, read_list
from gateway.cli.command_group import command_group
from gateway.cli.tables import (
    format_duration,
    format_relative,
    note,
    print_json,
    print_table,
    read_clock,
)

deliveries = command_group("List callback deliveries; send one again.")


@deliveries.command("ls")
def list_deliveries(
    *,
    status: Annotated[
        str | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help="Only this status: pending, delivered, failed, stopped.",
        ),
    ] = None,
    limit: LimitOption = USUAL_LIMIT,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List deliveries, newest first."""
    query = [("status", status)] if status is not None else []
    found = read_list(find_system(url, data), "/deliveries", query, limit)
    if as_json:
        print_json({"items": found})
    elif found:
        now = read_clock()
        print_table(
            ("delivery", "status", "attempts", "last attempt", "next attempt", "url"),
            [_row(item, now) for item in found],
        )
    else:
        note("No such deliveries." if query else "No deliveries yet; invoke with --callback URL.")


@deliveries.command()
def show(
    delivery_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the delivery.")],
    *,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a delivery and all its attempts."""
    found = find_system(url, data).get(path_to("deliveries", delivery_id)).json()
    if as_json:
        print_json(found)
        return
    now = read_clock()
    for label, value in (
        ("delivery", found["id"]),
        ("batch", found["batch"]) if found["batch"] else ("invocation", found["invocation"]),
        ("url", found["url"]),
        ("status", found["status"]),
        ("next attempt", format_relative(found.get("next_at"), now) or "none"),
    ):
        print(f"{label:13} {value}")
    if found["attempts"]:
        print_table(
            ("attempt", "at", "took", "answer"),
            [
                (number, one["at"], format_duration(one["duration_ms"]), _outcome(one))
                for number, one in enumerate(found["attempts"], 1)
            ],
        )


@deliveries.command()
def redeliver(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of deliveries.")],
    *,
    url: UrlOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send callbacks again at once."""
    system = find_system(url, data)
    answers, code = ask_each(system, "POST", ids, under="deliveries", verb="redeliver")
    if as_json:
        print_json({"items": answers})
    else:
        for delivery in answers:
            print(delivery["id"], delivery["status"])
    if code:
        raise typer.Exit(code)


def _row(item: dict[str, Any], now: datetime) -> tuple[object, ...]:
    attempts = item["attempts"]
    last = (
        f"{_outcome(attempts[-1])}, {format_relative(attempts[-1]['at'], now)}" if attempts else ""
    )
    return (
        item["id"],
        item["status"],
        len(attempts),
        last,
        format_relative(item.get("next_at"), now),
        item["url"],
    )


def _outcome(attempt: dict[str, Any]) -> str:
    said = [attempt.get("status_code"), attempt.get("error")]
    return " ".join(str(part) for part in said if part is not None)
