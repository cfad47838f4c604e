"""`penstock deliveries`: list callback deliveries, show their attempts, send one again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from gateway.cli.client.api_client import path_to
from gateway.cli.client.lists import USUAL_LIMIT, LimitOption, ask_each, read_list, report_each
from gateway.cli.client.options import ApiOptions
from gateway.cli.command_group import command_group
from gateway.cli.tables import (
    format_duration,
    format_relative,
    print_json,
    print_list,
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
    api: ApiOptions,
) -> None:
    """List deliveries, newest first."""
    query = [("status", status)] if status is not None else []
    found = read_list(api.find_system(), "/deliveries", query, limit)
    none = "No such deliveries." if query else "No deliveries yet; invoke with --callback URL."
    columns = ("delivery", "status", "attempts", "last attempt", "next attempt", "url")
    print_list(found, columns, _row, none=none, as_json=api.as_json)


@deliveries.command()
def show(
    delivery_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the delivery.")],
    *,
    api: ApiOptions,
) -> None:
    """Show a delivery and all its attempts."""
    found = api.find_system().get(path_to("deliveries", delivery_id)).json()
    if api.as_json:
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
    api: ApiOptions,
) -> None:
    """Send callbacks again at once."""
    answered = ask_each(api.find_system(), "POST", ids, under="deliveries", verb="redeliver")
    report_each(answered, lambda one: f"{one['id']} {one['status']}", as_json=api.as_json)


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
